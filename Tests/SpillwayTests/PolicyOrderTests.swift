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
        #expect(refusal { Gates(gate, gate) }?.value == "'twice' twice")
        let nested = refusal {
            Gates(gate)
            Targets(.ladder, [Target("a", gate)])
        }
        #expect(nested?.field == "gates" && nested?.value == "'twice' twice")
        let budget = try RetryBudget("mine")
        let own = refusal { () throws(ConfigurationError) in
            try Retry(budget: budget)
            Gates(budget)
        }
        #expect(own?.value == "the policy's own budget 'mine'")
        let many = refusal { Gates((0..<9).map { CountingGate("\($0)") }) }
        #expect(many?.description == "Policy: gates is 9 on one attempt, but must be at most 8")
        #expect(refusal { Gates((0..<8).map { CountingGate("\($0)") }) } == nil)
    }

    @Test func targetsAreNamedOnceAndInnermost() throws {
        let gate = CountingGate()
        let outside = refusal {
            Targets(.ladder, [Target("a")])
            Gates(gate)
        }
        #expect(outside?.value == "Gates inside Targets")
        for (targets, text) in [
            ([], "empty, but must be at least one target"),
            ([Target("a"), Target("a")], "two of the name 'a', but must be targets of different names"),
            ((0..<65).map { Target("\($0)") }, "65 targets, but must be at most 64"),
        ] as [([Target], String)] {
            let error = refusal { Targets(.ladder, targets) }
            #expect(error?.field == "targets" && error?.description == "Policy: targets is \(text)")
        }
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
                }) == "one of the Retry's and another of the Hedge's")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Hedge(after: .fixed(.seconds(1)), budget: budget)
                    Gates(budget)
                }) == "the policy's own budget 'retry-budget'")
        #expect(
            value(
                refusal { () throws(ConfigurationError) in
                    try Hedge(
                        after: .fixed(.seconds(1)), budget: budget, losers: .reaped(grace: .seconds(1)))
                }) == ".reaped in a policy")
    }

    @Test(arguments: [(29, nil), (30, "30.0 seconds"), (31, "31.0 seconds")] as [(Int, String?)])
    func aHedgeStartsBeforeTheDeadlineOrNever(delay: Int, refused: String?) throws {
        let budget = try RetryBudget()
        for cooperative in [false, true] {
            let error = refusal { () throws(ConfigurationError) in
                try Deadline(.seconds(30), cooperative: cooperative)
                try Hedge(after: .fixed(.seconds(delay)), budget: budget)
            }
            #expect(error?.value == refused)
            #expect(error.map { $0.policy == "Hedge" && $0.field == "delay" } ?? true)
        }
        // Only a delay that is always the same is known beforehand.
        let follows = refusal { () throws(ConfigurationError) in
            try Deadline(.seconds(30))
            try Hedge(after: .quantile(0.95, initially: .seconds(delay)), budget: budget)
        }
        #expect(follows == nil)
    }

    @Test func whatIsNoContradictionIsTaken() throws {
        #expect(refusal {} == nil)
        // The deadline of a caller further out may be shorter anyway, and an attempt's time stands still now and then.
        let longer = refusal { () throws(ConfigurationError) in
            try Deadline(.seconds(1))
            try AttemptTimeout(.seconds(2))
        }
        #expect(longer == nil)
        let later = refusal { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.seconds(2)), budget: RetryBudget())
            try AttemptTimeout(.seconds(1))
        }
        #expect(later == nil)
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
