import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

/// Second attempts beside slow ones.
@Suite(.timeLimit(.minutes(10))) struct HedgingTests {
    @Test(arguments: [true, false])
    func `the head counts every attempt, hedges and retries together`(streamed: Bool) async throws {
        // Two attempts beyond the first: the hedge and the retry, which then has no hedge.
        let policy = """
            { attemptSeconds: 3, retries: 3, backoff: { kind: none }, hedge: { afterSeconds: 0 },
            budget: { burst: 2, ratio: 0, minimumPerSecond: 0 } }
            """
        try await withBench(replicas: 3, policy: policy) { bench in
            try await bench.faults((.noAnswer, "1", ""), (.noAnswer, "2", ""))
            let response = try await bench.chat(
                #","stream":\#(streamed)"#, headers: ["x-spillway-allowance": "9"])
            let seen = try await Seen(response)
            #expect(seen.upstream == "r3")
            #expect(seen.headers["x-spillway-attempts"] == "3")
            #expect(seen.headers["x-spillway-spent"] == "2")
            #expect(try await bench.calls == [1, 1, 1])
        }
    }

    @Test func `there is no hedge while too many calls are under way`() async throws {
        let policy = """
            { attemptSeconds: 60, firstContentSeconds: 1, retries: 0, budget: unlimited,
            hedge: { afterSeconds: 0, spareCapacity: { maxInFlight: 1 } } }
            """
        try await withBench(policy: policy) { bench in
            try await bench.fault(.noAnswer, replica: #""all""#)
            #expect(try await bench.ask().headers["x-spillway-attempts"] == "2")
            let other = Task { try await bench.ask(streamed: false) }
            // It and its hedge: alone it may have one.
            try await until { try await bench.calls.reduce(0, +) >= 4 }
            #expect(try await bench.ask().headers["x-spillway-attempts"] == "1")
            other.cancel()
            _ = await other.result
        }
    }
}
