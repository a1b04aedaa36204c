import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

private let limits =
    "attemptSeconds: 60, firstContentSeconds: 10, stallSeconds: 10, retries: 3, backoff: { kind: none }"

/// Upstreams that are silent or slow.
@Suite(.timeLimit(.minutes(10))) struct SilenceTests {
    @Test(arguments: [FaultKind.noAnswer, .stuckKernel])
    func `a silent upstream is asked once, and another answers`(kind: FaultKind) async throws {
        try await withBench(policy: "{ \(limits) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind)
            let seen = try await bench.ask()
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(try await bench.calls == [1, 1])
            try await bench.stats { $0.replicas[0].running == 0 }
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [FaultKind.noAnswer, .stuckKernel])
    func `silent upstreams are asked once each, and that is an error`(kind: FaultKind) async throws {
        try await withBench(policy: "{ \(limits) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind, replica: #""all""#)
            let seen = try await bench.ask()
            #expect(seen.status == 504)
            seen.isError("first_content_timeout", after: answer)
            #expect(try await bench.calls == [1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `an answer in one piece has the time of an attempt`() async throws {
        let policy = "{ attemptSeconds: 10, retries: 3, backoff: { kind: none } }"
        try await withBench(policy: policy) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.noAnswer, replica: #""all""#)
            let seen = try await bench.ask(streamed: false)
            #expect(seen.status == 504)
            seen.isError("attempt_timeout", after: answer)
            #expect(try await bench.calls == [1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `a first token that is slow is waited for as long as the route allows`() async throws {
        try await withBench(policy: "{ \(limits) }") { bench in
            let answer = try await bench.healthyAnswer()
            // Simulated: 0.02 s, and then 100 s, of the machine's time.
            try await bench.fault(.slowFirstToken, extra: #","duration_ms":20000"#)
            let patient = try await bench.ask()
            patient.isWhole(answer)
            #expect(patient.upstream == "r1")
            try await bench.fault(.slowFirstToken, extra: #","duration_ms":100000000"#)
            let seen = try await bench.ask()
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(try await bench.calls == [2, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `a deadline is the client's, whatever the attempts may take`() async throws {
        try await withBench(policy: "{ deadlineSeconds: 10, retries: 3, backoff: { kind: none } }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.noAnswer, replica: #""all""#)
            let seen = try await bench.ask()
            #expect(seen.status == 504)
            seen.isError("deadline_exceeded", after: answer)
            #expect(try await bench.calls == [1, 0])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [FaultKind.stall, .dribble])
    func `keep-alives excuse no silence, and single tokens no dribble`(kind: FaultKind) async throws {
        let rate = "tokensPerSecond: 20, patienceSeconds: 5"
        try await withBench(policy: "{ \(limits), \(rate) }") { bench in
            let answer = try await bench.healthyAnswer()
            // A token every second: more often than a stall allows, and too few.
            try await bench.fault(kind, extra: #","duration_ms":1000000"#)
            let seen = try await bench.ask()
            seen.isError(kind == .stall ? "stalled" : "too_slow", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls == [1, 0])
            try await bench.stats { $0.replicas[0].running == 0 }
            try await bench.servesWell(answer)
        }
    }
}
