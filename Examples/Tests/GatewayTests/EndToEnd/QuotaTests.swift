import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

/// Limits of providers, met before they bite.
@Suite(.timeLimit(.minutes(10))) struct QuotaTests {
    private static let upstream = "breaker: none, quota: { provider: openai, requestsPerMinute: 1000 }"

    @Test func `a provider that asks for a pause is not asked again before that`() async throws {
        try await withBench(replicas: 1, upstream: Self.upstream, policy: "{ retries: 0 }") { bench in
            try await bench.fault(.rateLimit, extra: #","retry_after":"600""#)
            #expect(try await bench.chat().status == .tooManyRequests)
            try await bench.faults()
            let refused = try await bench.chat()
            #expect(refused.status == .serviceUnavailable)
            #expect(try await refused.text.contains("rate_limited"))
            #expect(try await bench.calls == [1])
        }
    }

    @Test func `what an answer used is settled, and the next call finds the rest`() async throws {
        let upstream = "breaker: none, quota: { tokensPerMinute: 6000 }"
        try await withBench(replicas: 1, upstream: upstream, policy: "{ retries: 0 }") { bench in
            // Each is estimated at more than half of what there is, and uses little of it.
            let short = #","max_tokens":4000,"answer_tokens":20"#
            for _ in 0..<5 { #expect(try await bench.chat(short).status == .ok) }
            let quota = try #require(bench.gateway.upstreams[0].quota)
            let tokens = try #require(quota.standing(at: .zero).first { $0.dimension == .tokens })
            #expect(tokens.held == 0 && tokens.limit == 6_000)
            #expect((5_000...6_000).contains(tokens.remaining))
            // More than there ever is.
            let refused = try await bench.chat(#","max_tokens":7000"#)
            #expect(try await refused.text.contains("exceeds_burst"))
        }
    }
}
