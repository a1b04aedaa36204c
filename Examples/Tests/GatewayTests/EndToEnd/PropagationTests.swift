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
                #","stream":\#(streamed)"#, headers: ["x-spillway-deadline-ms": "500"])
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
            let refused = try await Seen(bench.chat(extra, headers: ["x-spillway-attempts-left": "2"]))
            #expect(refused.status == 500)
            #expect(refused.headers["x-spillway-spent"] == "2")
            #expect(try await bench.calls.reduce(0, +) == 3)
            let once = try await Seen(bench.chat(extra, headers: ["x-spillway-attempts-left": "0"]))
            #expect(once.headers["x-spillway-spent"] == "0")
            #expect(try await bench.calls.reduce(0, +) == 4)
            try await bench.servesWell(answer)
        }
    }

    @Test func `one bound holds through two gateways`() async throws {
        try await withBench(policy: "{ retries: 5, backoff: { kind: none } }") { inner in
            let answer = try await inner.healthyAnswer()
            try await inner.fault(.error500, replica: #""all""#)
            let yaml = """
                upstreams:
                  inner: { url: 'http://127.0.0.1:\(inner.port)', breaker: none, propagate: true }
                models:
                  chat: { targets: [{ upstream: inner, model: chat }] }
                policy: { retries: 5, backoff: { kind: none } }
                """
            try await withGateway(yaml) { gateway, port in
                let outer = Bench(fleet: inner.fleet, gateway: gateway, port: port)
                let seen = try await Seen(outer.chat(headers: ["x-spillway-attempts-left": "4"]))
                #expect(seen.status == 500)
                #expect(seen.headers["x-spillway-spent"] == "4")
                #expect(try await inner.calls.reduce(0, +) == 5)
                try await inner.faults()
                try await outer.ask().isWhole(answer)
                try await inner.fault(.noAnswer, replica: #""all""#)
                let late = try await Seen(outer.chat(headers: ["x-spillway-deadline-ms": "500"]))
                #expect(late.status == 504)
                late.isError("deadline_exceeded", after: answer)
            }
        }
    }
}
