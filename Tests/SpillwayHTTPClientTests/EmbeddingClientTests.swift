#if HTTPClientSupport
import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("An embedding client", .timeLimit(.minutes(10)))
struct EmbeddingClientTests {
    // Out of order, as the protocol allows.
    private static let answer = """
        {"object":"list","model":"m-1","error":null,"data":[{"object":"embedding","index":1,"embedding":[0.5,-2]},
        {"object":"embedding","index":0,"embedding":[1,0.25]}],"usage":{"prompt_tokens":5,"total_tokens":5}}
        """

    private func client(
        _ upstream: Upstream, _ http: HTTPClient, retries: Int = 0, quota: Quota? = nil, _ gates: [any Gate] = []
    ) throws -> EmbeddingClient {
        try EmbeddingClient(
            baseURL: upstream.url("/v1/"), apiKey: "k-123",
            http: PolicyHTTPClient(http, policy: try policy(retries: retries, gates + [quota].compactMap(\.self))),
            quota: quota)
    }

    @Test("sends all texts at once, and reads their vectors in order")
    func embeds() async throws {
        let witness = Witness()
        try await withUpstream([.plain(200, [:], Self.answer)]) { upstream, http in
            let client = try client(upstream, http, [witness])
            let request = EmbeddingRequest(model: "m", input: ["12345678", "a"], dimensions: 2)
            let answer = try await client.embed(request, key: "acme")
            #expect(answer.model == "m-1" && answer.vectors == [[1, 0.25], [0.5, -2]])
            #expect(answer.usage == Usage(input: 5))

            let sent = try #require(upstream.requests.first)
            #expect(sent.head.method == .POST && sent.head.uri == "/v1/embeddings")
            #expect(sent.head.headers["authorization"] == ["Bearer k-123"])
            let body = try #require(try JSONSerialization.jsonObject(with: Data(sent.body.utf8)) as? [String: Any])
            #expect(body["model"] as? String == "m" && body["dimensions"] as? Int == 2)
            #expect(body["input"] as? [String] == ["12345678", "a"])
            #expect(Set(body.keys) == ["model", "input", "dimensions"])

            let call = try #require(witness.calls.first)
            #expect(call.tokens == .estimate(input: 3, maxOutput: 0) && call.key == "acme")
            #expect(call.idempotency == .idempotent && !call.streams)
            #expect(!"\(client) \(String(reflecting: client))".contains("k-123"))
        }
    }

    @Test(
        "tries again after an answer that does not have a vector for each text",
        arguments: [
            #"{"data":[]}"#, "{}", #"{"data":[{"index":0,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,2]},{"index":2,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}"#,
            #"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}"#,
            #"{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,null]}]}"#,
            #"{"error":{"message":"no","code":500}}"#,
        ])
    func malformed(first: String) async throws {
        try await withUpstream([.plain(200, [:], first), .plain(200, [:], Self.answer)]) { upstream, http in
            let client = try client(upstream, http, retries: 1)
            #expect(try await client.embed(EmbeddingRequest(model: "m", input: ["a", "b"])).vectors.count == 2)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test("a text that does not fit is the caller's fault, and not tried again")
    func refused() async throws {
        let body = #"{"error":{"message":"too long","code":"context_length_exceeded"}}"#
        try await withUpstream([.plain(400, [:], body)]) { upstream, http in
            let client = try client(upstream, http, retries: 3)
            let error = await failure { try await client.embed(EmbeddingRequest(model: "m", input: ["a"])) }
            #expect(error?.underlying?.outcome == .neutral(.contextTooLong) && upstream.requests.count == 1)
        }
    }

    @Test("a quota learns from the answers, and settles what they used")
    func learns() async throws {
        let limits = [
            "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "400",
            "x-ratelimit-reset-tokens": "36s",
        ]
        try await withUpstream([.plain(200, limits, Self.answer)]) { upstream, http in
            let quota = try Quota("m")
            let client = try client(upstream, http, quota: quota)
            _ = try await client.embed(EmbeddingRequest(model: "m", input: ["a", "b"]))
            let tokens = try #require(quota.standing(at: SystemTime().now).first)
            #expect(tokens.dimension == .tokens && tokens.limit == 1_000 && tokens.held == 0)
        }
    }

    @Test("money is settled by the provider's count, else by a token for every four bytes")
    func settles() async throws {
        let silent = #"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]}"#
        let prices = try PriceBook(["m": Price(input: .dollars(1_000_000))])
        for (body, dollars) in [(Self.answer, 5), (silent, 3)] {
            let ledger = try Ledger("spend", prices: prices)
            let account = try ledger.account(.tenant("t"), model: "m"), bill = account.bill()
            try await withUpstream([.plain(200, [:], body)]) { upstream, http in
                let payee = try ledger.account(.provider("p"), model: "m", isPayerNeeded: true)
                let request = EmbeddingRequest(model: "m", input: ["12345678", "a"])
                _ = try await client(upstream, http, [payee]).embed(request, payer: bill)
            }
            #expect(bill.spent == .dollars(dollars))
        }
    }

    @Test("refuses what cannot work, and tells no secret")
    func badFields() throws {
        let http = PolicyHTTPClient(policy: try policy())
        for url in ["", "localhost:8080", "ftp://host/v1", "http://host/v1?x=1", "http://u:secret@host/v1"] {
            let error = #expect(throws: ConfigurationError.self) { try EmbeddingClient(baseURL: url, http: http) }
            #expect(error?.field == "baseURL" && error?.description.contains("secret") == false)
        }
        let key = #expect(throws: ConfigurationError.self) {
            try EmbeddingClient(baseURL: "http://host/v1", apiKey: "secret\n", http: http)
        }
        let timeout = #expect(throws: ConfigurationError.self) {
            try EmbeddingClient(baseURL: "http://host/v1", http: http, timeout: .zero)
        }
        #expect(key?.policy == "EmbeddingClient" && key?.field == "apiKey" && timeout?.field == "timeout")
        #expect(key?.description.contains("secret") == false)
    }
}
#endif
