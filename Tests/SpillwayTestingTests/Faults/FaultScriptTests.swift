import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct FaultScriptTests {
    private func everything() throws -> FaultScript {
        try [
            .crash(.replica(3), at: .milliseconds(1_200), for: .seconds(5)),
            .hang(.zone(1), at: .zero, for: .microseconds(7)),
            .latency(.replica(0), adding: .milliseconds(300), at: .seconds(1), for: .seconds(2)),
            .slowdown(.replica(2), by: 4, at: .nanoseconds(1_500), for: .seconds(2)),
            .errors(.replica(2), rate: 0.25, at: .seconds(60), for: .seconds(2)),
            .rateLimit(.replica(1), retryAfter: .seconds(2), at: .seconds(1), for: .seconds(2)),
            .rateLimit(.zone(0), retryAfter: nil, at: .seconds(1), for: .seconds(2)),
            .memory(.replica(1), leaving: 0.125, at: .seconds(1), for: .seconds(2)),
            .zoneLoss(1, at: .seconds(1), for: .seconds(2)),
            .clockJump(by: .seconds(-3), at: .seconds(4)),
            .cancellation(ofCall: 7, atAwait: 2),
        ]
    }

    @Test func itsTextIsSwiftSource() throws {
        let expected = """
            try [
                .crash(.replica(3), at: .milliseconds(1200), for: .seconds(5)),
                .hang(.zone(1), at: .zero, for: .microseconds(7)),
                .latency(.replica(0), adding: .milliseconds(300), at: .seconds(1), for: .seconds(2)),
                .slowdown(.replica(2), by: 4.0, at: .nanoseconds(1500), for: .seconds(2)),
                .errors(.replica(2), rate: 0.25, at: .seconds(60), for: .seconds(2)),
                .rateLimit(.replica(1), retryAfter: .seconds(2), at: .seconds(1), for: .seconds(2)),
                .rateLimit(.zone(0), retryAfter: nil, at: .seconds(1), for: .seconds(2)),
                .memory(.replica(1), leaving: 0.125, at: .seconds(1), for: .seconds(2)),
                .zoneLoss(1, at: .seconds(1), for: .seconds(2)),
                .clockJump(by: .seconds(-3), at: .seconds(4)),
                .cancellation(ofCall: 7, atAwait: 2),
            ]
            """
        #expect("\(try everything())" == expected)
        #expect("\(FaultScript())" == "[]")
    }

    @Test func whatWasPrintedAndPastedIsTheSame() throws {
        // Printed by `everything`, and pasted.
        let pasted: FaultScript = try [
            .crash(.replica(3), at: .milliseconds(1200), for: .seconds(5)),
            .hang(.zone(1), at: .zero, for: .microseconds(7)),
        ]
        #expect(pasted.faults == Array(try everything().faults.prefix(2)))
    }

    @Test func aSeedGivesTheSameScriptEveryTime() throws {
        func script(_ seed: UInt64) throws -> FaultScript {
            try .random(using: .seeded(seed), replicas: 4, zones: 2, calls: 9, span: .seconds(60), count: 3)
        }
        let expected = """
            try [
                .clockJump(by: .milliseconds(1474), at: .milliseconds(51321)),
                .crash(.replica(0), at: .milliseconds(22742), for: .milliseconds(17671)),
                .slowdown(.replica(0), by: 11.8, at: .milliseconds(20776), for: .milliseconds(6665)),
            ]
            """
        #expect("\(try script(7))" == expected)
        #expect(try script(7) == script(7))
        #expect(try script(7) != script(8))
    }

    @Test func everyKindOfFaultComesFromASeed() throws {
        let script = try FaultScript.random(
            using: .seeded(1), replicas: 3, zones: 2, calls: 5, span: .seconds(30), count: 400)
        for name in Fault.Form.allCases.map(\.rawValue) {
            #expect(script.faults.contains { "\($0)".hasPrefix(".\(name)(") }, "\(name)")
        }
        for fault in script.faults {
            #expect(fault.start <= .seconds(30) && fault.length <= .seconds(10))
            if case .replica(let number)? = fault.place { #expect((0..<3).contains(number)) }
            if case .zone(let number)? = fault.place { #expect((0..<2).contains(number)) }
            if case .cancellation(let call, _) = fault.kind { #expect((0..<5).contains(call)) }
        }
        let jumps = try FaultScript.random(
            using: .seeded(1), replicas: 3, span: .seconds(30), count: 9, forms: [.clockJump, .cancellation])
        #expect(jumps.faults.allSatisfy { "\($0)".hasPrefix(".clockJump(") })
    }

    @Test func itKnowsWhatItDoesToCallsAndTheClock() throws {
        let script: FaultScript = try [
            .cancellation(ofCall: 2, atAwait: 5), .cancellation(ofCall: 2, atAwait: 3),
            .clockJump(by: .seconds(3), at: .zero), .clockJump(by: .seconds(4), at: .seconds(1)),
        ]
        #expect(script.cancellation(ofCall: 2) == 3)
        #expect(script.cancellation(ofCall: 1) == nil)
        #expect(script.forwardJumps == .seconds(7))
        #expect(!script.turnsClockBack)
        #expect(try everything().turnsClockBack)
        #expect(try everything().forwardJumps == .zero)
    }

    @Test func valuesThatCannotWorkAreRefused() {
        func refused(_ make: () throws(ConfigurationError) -> Fault) -> String? {
            do throws(ConfigurationError) {
                _ = try make()
                return nil
            } catch {
                return error.field
            }
        }
        let second = Duration.seconds(1), here = Fault.Place.replica(0)
        #expect(
            refused { () throws(ConfigurationError) in
                try .crash(.replica(-1), at: second, for: second)
            } == "replica")
        #expect(refused { () throws(ConfigurationError) in try .zoneLoss(-1, at: second, for: second) } == "zone")
        #expect(
            refused { () throws(ConfigurationError) in
                try .hang(here, at: .seconds(-1), for: second)
            } == "start")
        #expect(
            refused { () throws(ConfigurationError) in
                try .hang(here, at: second, for: .seconds(-1))
            } == "length")
        #expect(
            refused { () throws(ConfigurationError) in
                try .latency(here, adding: .seconds(-1), at: second, for: second)
            } == "latency")
        #expect(
            refused { () throws(ConfigurationError) in
                try .slowdown(here, by: 0.5, at: second, for: second)
            } == "slowdown")
        #expect(
            refused { () throws(ConfigurationError) in
                try .errors(here, rate: .nan, at: second, for: second)
            } == "rate")
        #expect(
            refused { () throws(ConfigurationError) in
                try .rateLimit(here, retryAfter: .seconds(-1), at: second, for: second)
            } == "retryAfter")
        #expect(
            refused { () throws(ConfigurationError) in
                try .memory(here, leaving: 2, at: second, for: second)
            } == "leaving")
        #expect(
            refused { () throws(ConfigurationError) in
                try .clockJump(by: .seconds(-1 << 40), at: second)
            } == "jump")
        #expect(refused { () throws(ConfigurationError) in try .cancellation(ofCall: 0, atAwait: -1) } == "atAwait")
        #expect(throws: ConfigurationError.self) {
            try FaultScript.random(using: .system, replicas: 0, span: second, count: 1)
        }
        #expect(throws: ConfigurationError.self) {
            try FaultScript.random(using: .system, replicas: 1, span: second, count: 1, forms: [.cancellation])
        }
    }
}
