#if HTTPClientSupport
import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("A chat client, whole answers", .timeLimit(.minutes(10)))
struct ChatClientTests {
    private static let answer = """
        {"id":"a1","model":"m-1","error":null,"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}
        """

    @Test("sends what was asked for and reads the answer")
    func completes() async throws {
        let witness = Witness()
        try await withUpstream([.plain(200, [:], Self.answer)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(retries: 2, [witness]))
            let chat = try ChatClient(baseURL: upstream.url("/v1/"), apiKey: "k-123", http: http)
            let request = ChatRequest(
                model: "m", messages: [ChatMessage(role: "user", content: "12345678")], maxTokens: 64, temperature: 0.5)
            let completion = try await chat.complete(request, key: "acme")
            #expect(completion.id == "a1")
            #expect(completion.model == "m-1")
            #expect(completion.choices.map(\.message) == [ChatMessage(role: "assistant", content: "Hello")])
            #expect(completion.choices.first?.finishReason == "stop")
            #expect(completion.usage == Usage(input: 3, output: 1))
            #expect(completion.content == "Hello")

            let sent = try #require(upstream.requests.first)
            #expect(sent.head.method == .POST)
            #expect(sent.head.uri == "/v1/chat/completions")
            #expect(sent.head.headers["authorization"] == ["Bearer k-123"])
            let body = try #require(try JSONSerialization.jsonObject(with: Data(sent.body.utf8)) as? [String: Any])
            #expect(body["model"] as? String == "m")
            #expect(body["max_tokens"] as? Int == 64)
            #expect(body["temperature"] as? Double == 0.5)
            #expect(body["messages"] as? [[String: String]] == [["role": "user", "content": "12345678"]])
            #expect(Set(body.keys) == ["model", "max_tokens", "temperature", "messages"])

            let call = try #require(witness.calls.first)
            #expect(call.tokens == .estimate(input: 2, maxOutput: 64))
            #expect(call.key == "acme")
            #expect(call.idempotency == .idempotent)
            #expect(!"\(chat) \(String(reflecting: chat))".contains("k-123"))
        }
    }

    @Test(
        "tries again after answers that make no sense or are cut",
        arguments: [
            Upstream.Answer.plain(200, [:], "{\"choices\":"), .plain(200, [:], "{}"), .stream(["{\"id\":"], .cut),
            .plain(503),
        ])
    func retries(first: Upstream.Answer) async throws {
        try await withUpstream([first, .plain(200, [:], Self.answer)]) { upstream, client in
            let chat = try ChatClient(
                baseURL: upstream.url("/v1"), http: PolicyHTTPClient(client, policy: try policy(retries: 1)))
            #expect(try await chat.complete(ChatRequest(model: "m", messages: [])).content == "Hello")
            #expect(upstream.requests.count == 2)
        }
    }

    @Test(
        "an error object with status 200 is the error that it says",
        arguments: [
            (#"{"error":{"message":"no","code":429}}"#, 429, Outcome.Cause.rateLimited),
            (#"{"error":{"message":"no","type":"rate_limit_error"}}"#, 429, .rateLimited),
            (#"{"error":{"message":"no","code":"context_length_exceeded"}}"#, 400, .contextTooLong),
            (#"{"error":{"message":"no","type":"overloaded_error"}}"#, 529, .overloaded),
            (#"{"error":"no"}"#, 500, .serverError),
        ])
    func inBand(body: String, status: Int, cause: Outcome.Cause) async throws {
        try await withUpstream([.plain(200, [:], body)]) { upstream, client in
            let chat = try ChatClient(
                baseURL: upstream.url("/v1"), http: PolicyHTTPClient(client, policy: try policy(retries: 0)))
            let error = await failure { try await chat.complete(ChatRequest(model: "m", messages: [])) }
            #expect(error?.underlying?.status == status)
            #expect(error?.underlying?.outcome == .of(cause))
            #expect(error?.underlying?.message == "the upstream reported: no")
        }
    }

    @Test("a request that is no JSON is refused before anything is sent")
    func unencodable() async throws {
        try await withUpstream([]) { upstream, client in
            let chat = try ChatClient(
                baseURL: upstream.url("/v1"), http: PolicyHTTPClient(client, policy: try policy()))
            let request = ChatRequest(model: "m", messages: [], temperature: .nan)
            let error = await failure { try await chat.complete(request) }
            #expect(error?.underlying?.outcome == .neutral(.invalidRequest))
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test(
        "refuses a base URL that cannot work, and names it",
        arguments: [
            "", "localhost:8080", "ftp://host/v1", "http://", "http://host/v1?x=1", "http://host/v1#a", "not a url",
        ])
    func badURL(url: String) throws {
        let http = PolicyHTTPClient(policy: try policy())
        let error = #expect(throws: ConfigurationError.self) { _ = try ChatClient(baseURL: url, http: http) }
        #expect(error?.field == "baseURL")
        #expect(error?.value == "'\(url)'")
    }

    @Test("refuses a password, a key that no header can carry, and no time, and tells no secret")
    func badFields() throws {
        let http = PolicyHTTPClient(policy: try policy())
        let secret = #expect(throws: ConfigurationError.self) {
            _ = try ChatClient(baseURL: "http://u:secret@host/v1", http: http)
        }
        let key = #expect(throws: ConfigurationError.self) {
            _ = try ChatClient(baseURL: "http://host/v1", apiKey: "secret\n", http: http)
        }
        let stall = #expect(throws: ConfigurationError.self) {
            _ = try ChatClient(baseURL: "http://host/v1", http: http, stall: .zero)
        }
        #expect([secret, key, stall].map { $0?.field } == ["baseURL", "apiKey", "stall"])
        #expect(![secret, key].contains { $0?.description.contains("secret") == true })
    }
}
#endif
