import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

/// What a caller allows.
@Suite(.timeLimit(.minutes(10))) struct PropagationTests {
    @Test(arguments: [true, false])
    func `a caller's deadline counts where it is the earlier`(streamed: Bool) async throws {
        try await withBench(policy: "{ deadlineSeconds: 60, retries: 3, backoff: { kind: none } }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.noAnswer, replica: #""all""#)
            let response = try await bench.chat(
                #","stream":\#(streamed)"#, headers: ["x-spillway-timeout-ms": "500"])
            let seen = try await Seen(response)
            #expect(seen.status == 504)
            seen.isError("deadline_exceeded", after: answer)
            #expect(try await bench.calls == [1, 0])
        }
    }

    @Test(arguments: [true, false])
    func `a caller's allowance bounds the attempts, and the answer says what was spent`(streamed: Bool) async throws {
        try await withBench(policy: "{ retries: 5, backoff: { kind: none } }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error500, replica: #""all""#)
            let extra = #","stream":\#(streamed)"#
            let refused = try await Seen(bench.chat(extra, headers: ["x-spillway-allowance": "2"]))
            #expect(refused.status == 500)
            #expect(refused.headers["x-spillway-spent"] == "2")
            #expect(try await bench.calls.reduce(0, +) == 3)
            let once = try await Seen(bench.chat(extra, headers: ["x-spillway-allowance": "0"]))
            #expect(once.headers["x-spillway-spent"] == "0")
            #expect(try await bench.calls.reduce(0, +) == 4)
            try await bench.servesWell(answer)
        }
    }

    @Test func `an answer says what was spent, but for a stream that may go on, and only to who asked`() async throws {
        let stream = #","stream":true"#
        for (recovery, told) in [("fail", "1"), ("restart", nil)] {
            try await withBench(policy: "{ backoff: { kind: none }, recovery: \(recovery) }") { bench in
                try await bench.fault(.error500)
                let allowed: @Sendable (String) async throws -> Seen = { extra in
                    try await Seen(bench.chat(extra, headers: ["x-spillway-allowance": "3"]))
                }
                #expect(try await allowed("").headers["x-spillway-spent"] == "1")
                #expect(try await allowed(stream).headers["x-spillway-spent"] == told)
                #expect(try await allowed(#","stream":"soon""#).headers["x-spillway-spent"] == "0")
                #expect(try await Seen(bench.chat()).headers["x-spillway-spent"] == nil)
            }
        }
    }

    @Test func `one bound holds through two gateways`() async throws {
        try await withBench(policy: "{ retries: 5, backoff: { kind: none } }") { inner in
            let answer = try await inner.healthyAnswer()
            try await inner.fault(.error500, replica: #""all""#)
            try await withOuter(inner, targets: "inner", attemptSeconds: 60) { outer in
                let seen = try await Seen(outer.chat(headers: ["x-spillway-allowance": "4"]))
                #expect(seen.status == 500)
                #expect(seen.headers["x-spillway-spent"] == "4")
                #expect(try await inner.calls.reduce(0, +) == 5)
                try await inner.faults()
                try await outer.ask().isWhole(answer)
                let paid = try await Seen(outer.chat(headers: ["x-spillway-allowance": "4"]))
                #expect(paid.headers["x-spillway-spent"] == "0")
                try await inner.fault(.noAnswer, replica: #""all""#)
                let late = try await Seen(outer.chat(headers: ["x-spillway-timeout-ms": "500"]))
                #expect(late.status == 504)
                late.isError("deadline_exceeded", after: answer)
            }
        }
    }

    @Test func `a loan to an upstream that never answers stays spent`() async throws {
        try await withBench { inner in
            try await inner.faults((.noAnswer, "1", ""), (.error500, "2", ""))
            try await withOuter(inner, targets: "inner", "r2") { outer in
                let seen = try await Seen(outer.chat(headers: ["x-spillway-allowance": "5"]))
                #expect(seen.status == 500)
                #expect(seen.headers["x-spillway-spent"] == "5")
                // Two of the five were lent to the inner gateway, which waits for its first attempt.
                #expect(try await inner.calls == [1, 3])
            }
        }
    }

    @Test func `a loan to an upstream that cannot be reached comes back`() async throws {
        try await withBench { inner in
            try await withOuter(inner, targets: "gone", "r2") { outer in
                let seen = try await Seen(outer.chat(headers: ["x-spillway-allowance": "5"]))
                #expect(seen.status == 200)
                #expect(seen.headers["x-spillway-spent"] == "1")
            }
        }
    }

    /// Runs `body` with a gateway in front of another (`inner`), of its second replica (`r2`), and of nobody (`gone`).
    private func withOuter(
        _ inner: Bench, targets: String..., attemptSeconds: Int = 3, body: (Bench) async throws -> Void
    ) async throws {
        let models = targets.map { "{ upstream: \($0), model: \($0 == "inner" ? "chat" : "fake-7b") }" }
        let yaml = """
            upstreams:
              inner: { url: 'http://127.0.0.1:\(inner.port)', breaker: none, propagate: true }
              r2: { url: 'http://127.0.0.1:\(inner.fleet.replicas[1])', breaker: none }
              gone: { url: 'http://127.0.0.1:1', breaker: none, propagate: true }
            models:
              chat: { targets: [\(models.joined(separator: ", "))] }
            policy: { attemptSeconds: \(attemptSeconds), retries: 5, backoff: { kind: none } }
            """
        try await withGateway(yaml) { gateway, port in
            try await body(Bench(fleet: inner.fleet, gateway: gateway, port: port))
        }
    }
}
