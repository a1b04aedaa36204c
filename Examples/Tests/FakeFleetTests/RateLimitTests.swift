import Hummingbird
import Testing

@testable import FakeFleet

@Suite(.timeLimit(.minutes(5))) struct RateLimitTests {
    private let start = ContinuousClock.now

    private func limits(_ flags: String...) throws -> RateLimits {
        RateLimits(try FleetOptions.parse(flags), at: start)
    }

    private func header(_ name: String, _ fields: HTTPFields) -> String? { fields[.init(name)!] }

    @Test func `without limits nothing is refused or told`() throws {
        let limits = try limits()
        for _ in 0..<1_000 { #expect(try limits.take(tokens: 1_000_000, at: start).isEmpty) }
    }

    @Test func `a bucket of requests drips in, and says how it stands`() throws {
        let limits = try limits("--request-limit=4", "--limit-window=2")
        for left in [3, 2, 1, 0] {
            let headers = try limits.take(tokens: 1, at: start)
            #expect(header("x-ratelimit-limit-requests", headers) == "4")
            #expect(header("x-ratelimit-remaining-requests", headers) == "\(left)")
            #expect(header("x-ratelimit-reset-requests", headers) == "\((4 - left) * 500)ms")
        }
        let early = start + .milliseconds(400)
        let refusal = #expect(throws: APIError.self) { try limits.take(tokens: 1, at: early) }
        #expect(refusal?.status == .tooManyRequests)
        let wait = try #require(refusal.flatMap { header("retry-after-ms", $0.headers) }.flatMap { Int($0) })
        // Rounded up.
        #expect((100...101).contains(wait))
        #expect(throws: Never.self) { try limits.take(tokens: 1, at: early + .milliseconds(wait)) }
        // Time that goes back mints nothing.
        #expect(throws: APIError.self) { try limits.take(tokens: 1, at: start) }
    }

    @Test func `tokens are counted too, and a refused request takes nothing`() throws {
        let limits = try limits("--request-limit=10", "--token-limit=100", "--limit-window=1")
        _ = try limits.take(tokens: 70, at: start)
        #expect(throws: APIError.self) { try limits.take(tokens: 31, at: start) }
        let headers = try limits.take(tokens: 30, at: start)
        #expect(header("x-ratelimit-remaining-requests", headers) == "8")
        #expect(header("x-ratelimit-remaining-tokens", headers) == "0")
        // A request of more than the bucket holds waits until it is full.
        #expect(throws: APIError.self) { try limits.take(tokens: 500, at: start + .milliseconds(900)) }
        #expect(throws: Never.self) { try limits.take(tokens: 500, at: start + .seconds(1)) }
    }

    @Test func `a replica answers 429 over HTTP, counts it, and tells of its limits in good answers`() async throws {
        try await withFleet(["--request-limit=2", "--limit-window=3600"]) { client in
            let body = #"{"model":"fake-7b","input":["one","two"]}"#
            let port = client.addresses.replicas[0]
            let first = try await client.send(.POST, "v1/embeddings", port: port, body: body)
            #expect(first.status == .ok)
            #expect(first.headers["x-ratelimit-remaining-requests"] == ["1"])
            let chat = try await client.chat()
            #expect(chat.status == .ok && chat.headers["x-ratelimit-remaining-requests"] == ["0"])
            _ = try await chat.text
            let refused = try await client.send(.POST, "v1/embeddings", port: port, body: body)
            #expect(refused.status == .tooManyRequests)
            #expect(refused.headers.contains(name: "retry-after-ms"))
            let stats = try await client.stats().text
            #expect(stats.contains(#""rate-limit":1"#), "\(stats)")
        }
    }
}
