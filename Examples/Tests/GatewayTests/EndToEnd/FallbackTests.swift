import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

/// What is known of who answered, and for how long a primary is left.
@Suite(.timeLimit(.minutes(10))) struct FallbackTests {
    @Test func `a primary that is down is served for, and left alone`() async throws {
        let breaker = "breaker: { window: { consecutive: 2 }, openSeconds: 600, openJitter: 0 }"
        try await withBench(upstream: breaker, policy: "{ retries: 1, backoff: { kind: none } }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error503)
            for _ in 0..<20 {
                let seen = try await bench.ask()
                seen.isWhole(answer)
                #expect(seen.upstream == "r2")
            }
            // Two calls opened the breaker.
            #expect(try await bench.calls == [2, 20])
            try await bench.servesWell(answer)
        }
    }

    @Test func `a primary that was down is probed, and returned to`() async throws {
        let breaker = "breaker: { window: { consecutive: 2 }, openSeconds: 0.2, probes: 1 }"
        try await withBench(upstream: breaker, policy: "{ retries: 1, backoff: { kind: none } }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error503)
            for _ in 0..<3 { try await bench.ask().isWhole(answer) }
            try await bench.faults()
            try await until { try await bench.ask().upstream == "r1" }
            try await bench.metrics(until: #"gateway_breaker_state{state="closed",upstream="r1"} 1"#)
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `the answer names the model that answered, and its tokens are that model's`(streamed: Bool) async throws {
        try await withBench(models: ["large", "small"]) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error500)
            let seen = try await bench.ask(streamed: streamed)
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(seen.headers["x-spillway-model"] == "small")
            try await bench.metrics(
                until: #"gateway_tokens_total{kind="output",model="small",source="provider",upstream="r2"} 40"#)
            let page = try await bench.send(.GET, "metrics").text
            #expect(!page.contains(#"gateway_tokens_total{kind="output",model="large""#))
            try await bench.servesWell(answer)
        }
    }

    @Test func `tokens of an answer that broke off are estimated, and that is said`() async throws {
        try await withBench(policy: "{ retries: 0 }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream)
            #expect(try await bench.ask().error != nil)
            try await bench.metrics(
                until: #"gateway_tokens_total{kind="output",model="fake-7b",source="metered",upstream="r1"}"#)
            try await bench.servesWell(answer)
        }
    }

    @Test func `the usage of a stream reaches the client only when it asked`() async throws {
        try await withBench(replicas: 1) { bench in
            let silent = try await bench.chat(#","stream":true,"max_tokens":5"#).text
            #expect(!silent.contains("usage"))
            let options = #","stream":true,"max_tokens":5,"stream_options":{"include_usage":true}"#
            let told = try await bench.chat(options).text
            #expect(told.contains(#""completion_tokens":5"#))
            #expect(told.hasSuffix("data: [DONE]\n\n"))
            try await bench.metrics(
                until: #"gateway_tokens_total{kind="output",model="fake-7b",source="provider",upstream="r1"} 10"#)
        }
    }
}
