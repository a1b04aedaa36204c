import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct PolicyOrderTests {
    fileprivate func refusal(
        @PolicyBuilder _ parts: () throws(ConfigurationError) -> [PolicyBuilder.Part]
    ) -> ConfigurationError? {
        do throws(ConfigurationError) {
            _ = try Policy("test", parts)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatMultipliesAttemptsMustBeOutside() throws {
        let gate = CountingGate()
        let inside = refusal { () throws(ConfigurationError) in
            Gates(gate)
            try Retry()
        }
        #expect(inside?.field == "order")
        #expect(inside?.value == "Retry inside Gates or Targets")
        let twice = refusal { () throws(ConfigurationError) in
            try Retry()
            try Retry()
        }
        #expect(twice?.value == "Retry inside Retry")
    }

    @Test func aDeadlineIsOutermostAndAlone() throws {
        let inside = refusal { () throws(ConfigurationError) in
            try Retry()
            try Deadline(.seconds(1))
        }
        #expect(inside?.value == "Deadline inside another part")
        let twice = refusal { () throws(ConfigurationError) in
            try Deadline(.seconds(1))
            try Deadline(.seconds(2))
        }
        #expect(twice?.value == "two deadlines")
    }

    @Test func aGateIsPassedOnce() throws {
        let gate = CountingGate("twice")
        #expect(refusal { Gates(gate, gate) }?.value == "the gate 'twice' twice")
        let nested = refusal {
            Gates(gate)
            Targets(.ladder, [Target("a", gate)])
        }
        #expect(nested?.value == "the gate 'twice' twice")
        let budget = try RetryBudget("mine")
        let own = refusal { () throws(ConfigurationError) in
            try Retry(budget: budget)
            Gates(budget)
        }
        #expect(own?.value == "the budget 'mine' as a gate of its own policy")
        #expect(refusal { Gates((0..<9).map { CountingGate("\($0)") }) }?.value == "9 gates on one attempt")
        #expect(refusal { Gates((0..<8).map { CountingGate("\($0)") }) } == nil)
    }

    @Test func targetsAreNamedOnceAndInnermost() throws {
        let gate = CountingGate()
        let outside = refusal {
            Targets(.ladder, [Target("a")])
            Gates(gate)
        }
        #expect(outside?.value == "Gates inside Targets")
        #expect(refusal { Targets(.ladder, []) }?.value == "Targets without a target")
        #expect(refusal { Targets(.ladder, [Target("a"), Target("a")]) }?.value == "two targets called 'a'")
        #expect(refusal { Targets(.ladder, (0..<65).map { Target("\($0)") }) }?.value == "65 targets")
    }

    @Test func badPartsAreNamed() {
        #expect(refusal { () throws(ConfigurationError) in try Deadline(.seconds(-1)) }?.policy == "Deadline")
        #expect(refusal { () throws(ConfigurationError) in try Retry(upTo: -1) }?.field == "limit")
        #expect(throws: ConfigurationError.self) { try Policy("") {} }
    }
}

extension PolicyOrderTests {
    @Test func aHedgeStandsBetweenRetryAndGates() throws {
        let budget = try RetryBudget(), gate = CountingGate()
        func value(_ error: ConfigurationError?) -> String? { error?.value }
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Hedge(after: .fixed(.seconds(1)), budget: budget)
                    try Retry(budget: budget)
                }) == "Retry inside Hedge")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    Gates(gate)
                    try Hedge(after: .fixed(.seconds(1)), budget: budget)
                }) == "Hedge inside Gates or Targets")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Retry()
                    try Hedge(after: .fixed(.seconds(1)), budget: budget)
                }) == "Retry and Hedge with different budgets")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Hedge(after: .fixed(.seconds(1)), budget: budget)
                    Gates(budget)
                }) == "the budget 'retry-budget' as a gate of its own policy")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Hedge(
                        after: .fixed(.seconds(1)), budget: budget, losers: .reaped(grace: .seconds(1)))
                }) == "Hedge with losers .reaped")
    }

    @Test func limitsOfAnAttemptAreInsideOfWhatMultipliesIt() throws {
        let outside = refusal { () throws(ConfigurationError) in
            try AttemptTimeout(.seconds(1))
            try Retry()
        }
        #expect(outside?.value == "Retry inside AttemptTimeout")
        let deadline = refusal { () throws(ConfigurationError) in
            try AttemptTimeout(.seconds(1))
            try Deadline(.seconds(1))
        }
        #expect(deadline?.value == "Deadline inside another part")
        let twice = refusal { () throws(ConfigurationError) in
            try AttemptTimeout(.seconds(1))
            try AttemptTimeout(.seconds(1))
        }
        #expect(twice?.value == "two AttemptTimeouts")
    }
}
