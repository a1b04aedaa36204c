import FleetFaults
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// How long it takes to give up: `swift test --filter GivingUpTests --attachments-path DIR` writes the times down.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GivingUpTests {
    struct Case: CustomTestStringConvertible {
        let fault: FaultKind
        let limit: String
        let code: String
        var streamed = true

        var testDescription: String { "\(fault.rawValue), \(limit)" }
        /// Whether the limit on silence may be longer than this one.
        var leavesStall: Bool { !["stallSeconds", "attemptSeconds"].contains(limit) }
    }

    static let cases = [
        Case(fault: .noAnswer, limit: "deadlineSeconds", code: "deadline_exceeded"),
        Case(fault: .noAnswer, limit: "attemptSeconds", code: "attempt_timeout", streamed: false),
        Case(fault: .noAnswer, limit: "firstContentSeconds", code: "first_content_timeout"),
        Case(fault: .stuckKernel, limit: "firstContentSeconds", code: "first_content_timeout"),
        Case(fault: .stall, limit: "stallSeconds", code: "stalled"),
        Case(fault: .dribble, limit: "tokensPerSecond: 1, patienceSeconds", code: "too_slow"),
    ]

    @Test(arguments: cases)
    func `a call ends with its limit, no earlier and not much later`(given: Case) async throws {
        try await withBench(
            replicas: 1,
            policy: "{ retries: 0, \(given.limit): 1\(given.leavesStall ? ", stallSeconds: 60" : "") }"
        ) { bench in
            let answer = try await bench.healthyAnswer()
            // A token of the dribble would come every 100 s.
            try await bench.fault(given.fault, extra: #","duration_ms":100000000"#)
            // The connections are there, and the code has run once.
            _ = try await bench.ask(streamed: given.streamed)
            let began = SystemTime().now
            let seen = try await bench.ask(streamed: given.streamed)
            let took = began.duration(to: SystemTime().now)
            seen.isError(given.code, after: answer)
            #expect(took >= .seconds(1))
            // Far more than it takes: a gateway that forgets its limit takes minutes.
            #expect(took < .seconds(60))
            // On a busy machine a limit may be over before its call has come to the replica.
            #expect(try await bench.calls.reduce(0, +) <= 2)
            let late = (took - .seconds(1)) / .milliseconds(1)
            Attachment.record("\(given.testDescription)\t1000 ms\t+ \(late) ms\n", named: "\(given.code).tsv")
            try await bench.faults()
            try await until { try await bench.ask(streamed: given.streamed).error == nil }
        }
    }
}
