import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// What clients see of a ladder.
@Suite(.timeLimit(.minutes(10))) struct LadderTests {
    private static let models = ["large", "small"]
    private static let two = """
        tiers: [{ name: premium, targets: [{ upstream: r1, model: large, quality: 0.9 }] },
          { name: compact, targets: [{ upstream: r2, model: small, quality: 0.4 }], maxOutputTokens: 10 }]
        """
    /// Two dollars a call, and half a one.
    private static let prices = """
        prices:
          models:
            large: { perRequest: 2, inputPerMillion: 0, outputPerMillion: 0 }
            small: { perRequest: 0.5, inputPerMillion: 0, outputPerMillion: 0 }
        """
    private static let policy = "{ retries: 0 }"

    @Test(arguments: [true, false])
    func `the answer says the tier, and why it is not the best`(streamed: Bool) async throws {
        try await withBench(policy: Self.policy, models: Self.models, route: Self.two) { bench in
            let answer = try await bench.healthyAnswer()
            let best = try await bench.ask(streamed: streamed)
            best.isWhole(answer)
            #expect(best.headers["x-spillway-tier"] == "premium" && best.headers["x-spillway-level"] == "0")
            #expect(best.headers["x-spillway-reasons"] == nil && best.headers["x-spillway-model"] == "large")
            try await bench.fault(.error503)
            let degraded = try await bench.ask(streamed: streamed)
            #expect(degraded.status == 200 && degraded.upstream == "r2")
            #expect(degraded.headers["x-spillway-tier"] == "compact" && degraded.headers["x-spillway-level"] == "1")
            #expect(degraded.headers["x-spillway-reasons"] == "premium: target_failed (overloaded)")
            // No longer than the tier gives, though the request allows 100 tokens.
            #expect(degraded.finish == "length" && !degraded.text.isEmpty)
            #expect(degraded.text.utf8.count < answer.utf8.count)
            try await bench.metrics(until: #"gateway_tier_calls_total{model="chat",outcome="ok",tier="compact"} 1"#)
            try await bench.metrics(
                until: #"gateway_tier_steps_total{model="chat",reason="target_failed",tier="premium"} 1"#)
        }
    }

    @Test(arguments: [true, false]) func `an error says which tiers failed, and with what`(streamed: Bool) async throws
    {
        try await withBench(policy: Self.policy, models: Self.models, route: Self.two) { bench in
            try await bench.faults((.error503, "1", ""), (.error500, "2", ""))
            let seen = try await bench.ask(streamed: streamed)
            #expect(seen.status == 500)
            #expect(seen.headers["x-spillway-tier"] == "compact")
            #expect(
                seen.headers["x-spillway-reasons"]
                    == "premium: target_failed (overloaded), compact: target_failed (server_error)")
        }
    }

    @Test func `a tier that fails for all calls is left, and that is counted`() async throws {
        let route = Self.two + ", hysteresis: { misses: 2, dwellSeconds: 600, probeEverySeconds: 600 }"
        try await withBench(policy: Self.policy, models: Self.models, route: route) { bench in
            try await bench.metrics(until: #"gateway_mode{model="chat",tier="premium"} 1"#)
            try await bench.fault(.error503)
            for _ in 0..<2 { #expect(try await bench.ask().upstream == "r2") }
            let left = try await bench.ask()
            #expect(left.headers["x-spillway-reasons"] == "premium: stepped_down (overloaded)")
            #expect(try await bench.calls == [2, 3])
            try await bench.metrics(until: #"gateway_mode_changes_total{from="premium",model="chat",to="compact"} 1"#)
            try await bench.metrics(until: #"gateway_mode{model="chat",tier="compact"} 1"#)
        }
    }

    @Test func `a call is not answered by less than it asks for`() async throws {
        try await withBench(policy: Self.policy, models: Self.models, route: Self.two) { bench in
            try await bench.fault(.error503)
            let seen = try await Seen(bench.chat(headers: ["x-spillway-quality": "0.8"]))
            #expect(seen.status == 503)
            #expect(seen.headers["x-spillway-reasons"]?.contains("compact: below_quality") == true)
            #expect(try await bench.calls[1] == 0)
        }
    }

    @Test func `no model is asked that costs more than the answer is worth`() async throws {
        try await withBench(policy: Self.policy, models: Self.models, route: Self.two, extra: Self.prices) { bench in
            let seen = try await Seen(bench.chat(headers: ["x-spillway-value-dollars": "1"]))
            #expect(seen.headers["x-spillway-tier"] == "compact")
            #expect(seen.headers["x-spillway-reasons"] == "premium: above_value")
            #expect(seen.headers["x-spillway-cost"] == "0.50")
            let dear = try await Seen(bench.chat(headers: ["x-spillway-value-dollars": "3"]))
            #expect(dear.upstream == "r1" && dear.headers["x-spillway-cost"] == "2.00")
        }
    }

    @Test(arguments: [
        ("x-spillway-quality", "2"), ("x-spillway-quality", "nan"), ("x-spillway-difficulty", "hard"),
        ("x-spillway-difficulty", "-0.1"), ("x-spillway-value-dollars", "-1"), ("x-spillway-value-dollars", "much"),
    ]) func `needs that make no sense are refused`(name: String, value: String) async throws {
        try await withBench(replicas: 1) { bench in
            let response = try await bench.chat(headers: [name: value])
            #expect(response.status == .badRequest)
            #expect(try await response.apiError["param"] == name)
            #expect(try await bench.calls == [0])
        }
    }

    @Test func `the difficult goes to the good, and the easy to the cheap`() async throws {
        let route = """
            tiers: [{ name: all, choice: byDifficulty,
              targets: [{ upstream: r1, model: large, quality: 0.9 }, { upstream: r2, model: small, quality: 0.4 }] }]
            """
        try await withBench(models: Self.models, route: route, extra: Self.prices) { bench in
            let hard = try await Seen(bench.chat(headers: ["x-spillway-difficulty": "0.8"]))
            let easy = try await Seen(bench.chat(headers: ["x-spillway-difficulty": "0.2"]))
            #expect(hard.upstream == "r1" && easy.upstream == "r2")
            // What the words look like, where nobody says.
            let unsaid = try await bench.ask()
            #expect(unsaid.upstream == "r2")
        }
    }

    @Test(arguments: [true, false])
    func `passages are found where no model answers`(streamed: Bool) async throws {
        let route = """
            tiers: [{ name: premium, targets: [{ upstream: r1, model: large }] },
              { name: passages, retrieval: { upstream: r2, model: small } }]
            """
        try await withBench(policy: Self.policy, models: Self.models, route: route) { bench in
            try await bench.fault(.error503)
            let seen = try await bench.ask(streamed: streamed)
            #expect(seen.status == 200 && seen.upstream == "r2" && seen.isDone && !seen.text.isEmpty)
            #expect(seen.headers["x-spillway-tier"] == "passages")
        }
    }

    @Test(arguments: [true, false])
    func `what was answered before is given again where no model answers`(streamed: Bool) async throws {
        let route = """
            tiers: [{ name: premium, targets: [{ upstream: r1, model: large }] },
              { name: kept, cache: { seconds: 600 } }]
            """
        let tenants = "{ retries: 0, tenantLimit: { perMinute: 600, burst: 100, header: x-tenant } }"
        try await withBench(policy: tenants, models: Self.models, route: route) { bench in
            let answer = try await bench.healthyAnswer()
            let extra = Bench.length + #","stream":\#(streamed)"#
            // Only answers in one piece are kept.
            try await Seen(bench.chat(Bench.length, headers: ["x-tenant": "acme"])).isWhole(answer)
            try await bench.fault(.error503)
            let kept = try await Seen(bench.chat(extra, headers: ["x-tenant": "acme"]))
            kept.isWhole(answer)
            #expect(kept.headers["x-spillway-tier"] == "kept" && kept.headers["x-spillway-cache"] == "fresh")
            #expect(kept.headers["age"] != nil && kept.upstream == nil && kept.headers["x-spillway-model"] == "large")
            #expect(kept.headers["x-spillway-reasons"] == "premium: target_failed (overloaded)")
            let other = try await Seen(bench.chat(extra, headers: ["x-tenant": "other"]))
            #expect(other.status == 503 && other.headers["x-spillway-cache"] == nil)
            #expect(
                other.headers["x-spillway-reasons"]
                    == "premium: target_failed (overloaded), kept: no_answer (no_answer)")
            try await bench.metrics(until: #"gateway_cache_lookups_total{model="chat",result="fresh"} 1"#)
        }
    }

    @Test func `routes learn from each other how a model does`() async throws {
        let route =
            Self.two
            + " }\n  other: { tiers: [{ name: only, targets: [{ upstream: r1, model: large, quality: 0.9 }] }]"
        try await withBench(policy: Self.policy, models: Self.models, route: route) { bench in
            try await bench.fault(.error503)
            let body = #"{"model":"other","messages":[{"role":"user","content":"hello"}]}"#
            for _ in 0..<7 {
                #expect(try await bench.send(.POST, "v1/chat/completions", body: body).status == .serviceUnavailable)
            }
            let seen = try await bench.ask()
            #expect(seen.upstream == "r2" && seen.headers["x-spillway-reasons"] == "premium: cooling (overloaded)")
            #expect(try await bench.calls == [7, 1])
        }
    }
}
