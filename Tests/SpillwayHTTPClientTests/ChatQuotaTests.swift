#if HTTPClientSupport
import AsyncHTTPClient
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("A chat client with a quota", .timeLimit(.minutes(10)))
struct ChatQuotaTests {
    private static let answer = """
        {"id":"a1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":100,"total_tokens":400}}
        """
    private static let limits = [
        "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "400", "x-ratelimit-reset-tokens": "36s",
    ]

    private func ask(_ output: Int) -> ChatRequest {
        ChatRequest(model: "m", messages: [ChatMessage(role: "user", content: "12345678")], maxTokens: output)
    }

    private func chat(_ upstream: Upstream, _ client: HTTPClient, _ quota: Quota) throws -> ChatClient {
        try ChatClient(
            baseURL: upstream.url("/v1"), http: PolicyHTTPClient(client, policy: try policy(retries: 0, [quota])),
            quota: quota)
    }

    @Test("learns from whole answers, and settles what they used")
    func whole() async throws {
        try await withUpstream([.plain(200, Self.limits, Self.answer)]) { upstream, client in
            let quota = try Quota("openai/m")
            _ = try await chat(upstream, client, quota).complete(ask(64))
            let tokens = try #require(quota.standing(at: SystemTime().now).first)
            #expect(tokens.dimension == .tokens && tokens.limit == 1_000 && tokens.held == 0)
            #expect((950...1_000).contains(Int(tokens.perSecond * 60)))
            // The call was let in before the limit was known; one that is larger than that waits until nothing is owed.
            let refused = await failure { try await chat(upstream, client, quota).complete(ask(2_000)) }
            guard case .rejected(let rejection, _) = refused else { return #expect(Bool(false), "\(refused as Any)") }
            #expect(rejection.reason == .rateLimited && rejection.gate.description == "openai/m tokens")
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("a refusal pauses calls, a refused key ends them")
    func refusals() async throws {
        try await withUpstream([.plain(429, ["retry-after": "60"]), .plain(401)]) { upstream, client in
            let quota = try Quota("openai/m")
            let chat = try chat(upstream, client, quota)
            let first = await failure { try await chat.complete(ask(1)) }
            #expect(first?.underlying?.outcome.cause == .rateLimited)
            let paused = await failure { try await chat.complete(ask(1)) }
            guard case .rejected(let pause, _) = paused else { return #expect(Bool(false), "\(paused as Any)") }
            #expect(pause.reason == .rateLimited && upstream.requests.count == 1)
            quota.reinstate()
            _ = await failure { try await chat.complete(ask(1)) }
            #expect(quota.isRetired && upstream.requests.count == 2)
        }
    }

    @Test("learns from the head of a stream")
    func streams() async throws {
        let piece =
            #"data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#
        let fields = Self.limits.merging(["content-type": "text/event-stream"]) { $1 }
        try await withUpstream([.plain(200, fields, piece + "\n\ndata: [DONE]\n\n")]) { upstream, client in
            let quota = try Quota("openai/m")
            let stream = try await chat(upstream, client, quota).stream(ask(64))
            for try await _ in stream {}
            #expect(quota.standing(at: SystemTime().now).first?.limit == 1_000)
        }
    }
}
#endif
