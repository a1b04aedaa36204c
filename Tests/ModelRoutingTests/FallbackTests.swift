import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// What a failure means for the next attempt depends on its cause.
@Suite struct FallbackTests {
    let purse = Purse(10), time = ManualTime(noon), trail = Trail()

    func run(
        _ tiers: [Tier], _ failing: [String: Outcome.Cause], call: Call = idempotent,
        whenUnacceptable: ModelRouter.WhenUnacceptable = .escalate
    ) async throws -> Result<String, PolicyError<any Error>> {
        let router = try ModelRouter("chat", budget: purse, whenUnacceptable: whenUnacceptable, tiers: tiers)
        trail.clear()
        do throws(PolicyError<any Error>) {
            let result = try await router.run(
                call, time: time, judge: { failing[$0] == .unacceptable ? .neutral(.unacceptable) : .success }
            ) { (attempt) async throws(any Error) -> String in
                trail.add(attempt)
                if let cause = failing[attempt.target!], cause != .unacceptable { throw Failing(cause) }
                return attempt.target!
            }
            return .success(result.answer)
        } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [Outcome.Cause.contentFiltered, .invalidRequest])
    func whatEverybodyWouldFindGoesBackToTheCaller(_ cause: Outcome.Cause) async throws {
        let tiers = try [Tier("a", models: [Model("a"), Model("b")]), Tier("cached", .cache)]
        let result = try await run(tiers, ["a": cause])
        #expect(throws: PolicyError<any Error>.self) { try result.get() }
        #expect(trail.all == ["a/a"] && purse.rest == 10)
    }

    @Test func aPromptThatIsTooLongGoesToALargerWindow() async throws {
        let tiers = try [
            Tier(
                "a",
                models: [Model("8k", .init(quality: 1, window: 8_000)), Model("4k", .init(quality: 1, window: 4_000))]),
            Tier("b", models: [Model("6k", .init(quality: 1, window: 6_000))]),
            Tier("c", models: [Model("unknown"), Model("100k", .init(quality: 1, window: 100_000))]),
            Tier("cached", .cache),
        ]
        #expect(try await run(tiers, ["8k": .contextTooLong]).get() == "unknown")
        #expect(try await run(tiers, ["8k": .contextTooLong, "unknown": .contextTooLong]).get() == "100k")
        #expect(trail.all == ["a/8k", "c/unknown", "c/100k"])
        let result = try await run(tiers, ["8k": .contextTooLong, "unknown": .contextTooLong, "100k": .contextTooLong])
        #expect(throws: PolicyError<any Error>.self, "a cache is no larger window") { try result.get() }
        let long = Call(tokens: .estimate(input: 7_000, maxOutput: 2_000), idempotency: .idempotent)
        #expect(try await run(tiers, [:], call: long).get() == "unknown", "what is known not to fit is not asked")
    }

    @Test(arguments: [Outcome.Cause.quotaExhausted, .authentication])
    func usedUpCreditGoesToAnotherProvider(_ cause: Outcome.Cause) async throws {
        let tiers = try [
            Tier("a", models: [Model("one", at: "x"), Model("two", at: "x"), Model("three", at: "y")]),
            Tier("b", models: [Model("four", at: "x"), Model("five")]),
        ]
        #expect(try await run(tiers, ["one": cause, "three": .serverError]).get() == "five")
        #expect(trail.all == ["a/one", "a/three", "b/five"])
    }

    @Test func theQuotaOfTheMinuteGoesToTheNextModel() async throws {
        let tiers = try [Tier("a", models: [Model("one", at: "x"), Model("two", at: "x")])]
        #expect(try await run(tiers, ["one": .rateLimited]).get() == "two")
    }

    @Test func noCapacitySpillsToAnElasticTier() async throws {
        let door = Door("full", .concurrencyLimited)
        func tiers(_ gates: [any Gate]) throws -> [Tier] {
            try [
                Tier("own", models: [Model("own", gates: gates)], fallbacks: [.overloaded: "elastic"]),
                Tier("compact", models: [Model("small")]),
                Tier("elastic", models: [Model("rented")], isSpare: true),
            ]
        }
        #expect(try await run(tiers([]), ["own": .overloaded]).get() == "rented")
        #expect(try await run(tiers([door]), [:]).get() == "rented", "a gate that is full is no capacity")
        #expect(try await run(tiers([]), ["own": .serverError]).get() == "small", "it is spare for all else")
    }

    @Test func anUnacceptableAnswerEscalatesDegradesOrEnds() async throws {
        let tiers = try [
            Tier("fast", models: [Model("small", .init(quality: 0.5)), Model("other", .init(quality: 0.5))]),
            Tier("good", models: [Model("large", .init(quality: 0.9))]), Tier("cached", .cache),
        ]
        #expect(try await run(tiers, ["small": .unacceptable]).get() == "large")
        #expect(trail.all == ["fast/small", "good/large"])
        #expect(try await run(tiers, ["small": .unacceptable], whenUnacceptable: .degrade).get() == "other")
        #expect(try await run(tiers, ["small": .unacceptable], whenUnacceptable: .end).get() == "small")
        #expect(
            try await run(tiers, ["small": .unacceptable, "large": .unacceptable]).get() == "other", "nothing better")
    }

    @Test func theLastAnswerIsReturnedWhenNoneIsAcceptable() async throws {
        let tiers = try [Tier("a", models: [Model("only")])]
        #expect(try await run(tiers, ["only": .unacceptable]).get() == "only")
    }

    @Test func fallbacksThatLeadInACircleAreRefused() throws {
        let model = try Model("m")
        func make(_ tiers: [Tier]) throws { _ = try ModelRouter("chat", budget: purse, tiers: tiers) }
        let circle = #expect(throws: ConfigurationError.self) {
            try make([
                Tier("a", models: [model], fallbacks: [.overloaded: "c"]), Tier("b", models: [model]),
                Tier("c", models: [model], fallbacks: [.timeout: "a"]),
            ])
        }
        #expect(circle?.value == "a → b → c → a" && circle?.field == "fallbacks")
        #expect(throws: ConfigurationError.self) { try make([Tier("a", models: [model], fallbacks: [.timeout: "a"])]) }
        let unknown = #expect(throws: ConfigurationError.self) {
            try make([Tier("a", models: [model], fallbacks: [.timeout: "z"])])
        }
        #expect(unknown?.value == "a → z")
    }

    @Test func whatCannotWorkIsRefused() throws {
        let model = try Model("m"), door = Door("d")
        func make(_ tiers: [Tier]) throws { _ = try ModelRouter("chat", budget: purse, tiers: tiers) }
        let bad: [[Tier]] = try [
            [], [Tier("a", models: [])], [Tier("", models: [model])],
            [Tier("a", models: [model]), Tier("a", .cache)], [Tier("a", models: [model, model])],
            [Tier("a", models: [Model("n", gates: [door])], gates: [door])], [Tier("a", .model)],
            [Tier("a", models: [model], maxOutput: 0)], [Tier("a", models: [model], needs: .init(time: .seconds(-1)))],
            [Tier("a", choice: .cheapest(within: .seconds(-1)), models: [model])],
            (0..<65).map { Tier("\($0)", .cache) },
            [Tier("a", models: [Model("n", gates: (0..<8).map { Door("\($0)") })])],
        ]
        for tiers in bad { #expect(throws: ConfigurationError.self, "\(tiers.map(\.name))") { try make(tiers) } }
        #expect(throws: ConfigurationError.self) { try Model("m", .init(quality: .nan)) }
        #expect(throws: ConfigurationError.self) { try Model("m", .init(quality: 1, window: 0)) }
        #expect(throws: ConfigurationError.self) { try Model("m", .init(quality: 1, weight: 0)) }
        #expect(throws: ConfigurationError.self) {
            try Model("m", .init(quality: 1, cost: .perMillion(input: -1, output: 0)))
        }
    }
}
