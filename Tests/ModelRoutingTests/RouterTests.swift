import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct RouterTests {
    let premium = Door("premium"), compact = Door("compact")
    let purse = Purse(10), time = ManualTime(noon), trail = Trail()

    func ladder(_ hysteresis: Hysteresis = Hysteresis()) throws -> ModelRouter {
        try ModelRouter(
            "chat", budget: purse, hysteresis: hysteresis,
            tiers: [
                Tier("premium", models: [Model("large", at: "a", .init(quality: 0.9), gates: [premium])]),
                Tier(
                    "compact", models: [Model("small", at: "b", .init(quality: 0.6), gates: [compact])], maxOutput: 100),
                Tier("cached", .cache), Tier("later", .deferral),
            ])
    }

    func ask(
        _ router: ModelRouter, _ call: Call = idempotent, deadline: Instant? = nil,
        failing: [String: Outcome.Cause] = [:]
    ) async throws -> (answer: String, mode: ServiceMode) {
        trail.clear()
        return try await router.run(call, deadline: deadline, time: time) { attempt in
            trail.add(attempt)
            if let cause = failing[attempt.target!] { throw Failing(cause) }
            return attempt.target!
        }
    }

    @Test func theBestTierAnswersWhileItCan() async throws {
        let router = try ladder()
        let (answer, mode) = try await ask(router)
        #expect(answer == "large" && mode.tier == "premium" && mode.level == 0 && !mode.isDegraded)
        #expect(mode.reason == nil && mode.changes == [] && mode.kind == .model)
        #expect(premium.out == 0 && purse.rest == 10)
    }

    @Test func aTierThatRefusesIsPassedOverAtNoCost() async throws {
        let router = try ladder()
        premium.refuse(.breakerOpen)
        let (answer, mode) = try await ask(router)
        #expect(answer == "small" && mode.tier == "compact" && mode.level == 1 && mode.reason == .breakerOpen)
        #expect(mode.changes == [.shorter, .lowerRank] && mode.description == "compact (level 1: breaker_open)")
        #expect(purse.rest == 10, "the first attempt at a model is not extra")
    }

    @Test func aFailureGoesFurtherDownAndIsPaidFor() async throws {
        let router = try ladder()
        let (answer, mode) = try await ask(router, failing: ["large": .serverError])
        #expect(answer == "small" && mode.reason == .targetFailed && purse.rest == 9)
        #expect(trail.all == ["premium/large", "compact/small"])
    }

    @Test func tiersWithoutAModelAreFree() async throws {
        let router = try ladder()
        let (answer, mode) = try await ask(
            router, failing: ["large": .serverError, "small": .timeout, "cached": .noAnswer])
        #expect(answer == "later" && mode.changes == [.lowerRank, .later] && mode.reason == .noAnswer)
        #expect(purse.rest == 9, "one further model, and no more")
        #expect(trail.all == ["premium/large", "compact/small", "cached/cached", "later/later"])
    }

    @Test func withoutBudgetNoFurtherModelIsAsked() async throws {
        let router = try ladder()
        while purse.withdraw(at: noon) {}
        let (answer, _) = try await ask(router, failing: ["large": .serverError])
        #expect(answer == "cached" && trail.all == ["premium/large", "cached/cached"])
        #expect(purse.rest == 0)
    }

    @Test func whatWasPaidForComesBackWhenNoModelIsAsked() async throws {
        let router = try ladder()
        compact.refuse(.concurrencyLimited)
        let (answer, mode) = try await ask(router, failing: ["large": .serverError])
        #expect(answer == "cached" && mode.reason == .concurrencyLimited && purse.rest == 10)
    }

    @Test func whatMayHaveBegunIsNotAskedOfAnotherModel() async throws {
        let router = try ladder(), call = Call(tokens: .estimate(input: 10, maxOutput: 10))
        let (answer, _) = try await ask(router, call, failing: ["large": .timeout])
        #expect(answer == "cached", "a cache repeats nothing")
        let second = try await ask(router, call, failing: ["large": .connect])
        #expect(second.answer == "small", "a call that surely never began")
    }

    @Test func answersAreShorterWhereTheTierSaysSo() async throws {
        let router = try ladder()
        let lengths = try await router.run(idempotent, time: time) { attempt in
            if attempt.target == "large" { throw Failing(.overloaded) }
            return attempt.call.tokens.maxOutput
        }
        #expect(lengths.answer == 100)
        let short = Call(tokens: .estimate(input: 10, maxOutput: 20), idempotency: .idempotent)
        let asked = try await router.run(short, time: time) { attempt in
            if attempt.target == "large" { throw Failing(.overloaded) }
            return attempt.call.tokens.maxOutput
        }
        #expect(asked.answer == 20)
    }

    @Test func nothingLeftIsTheLastErrorAndNotOurs() async throws {
        let router = try ladder()
        let failing: [String: Outcome.Cause] = [
            "large": .serverError, "small": .connect, "cached": .noAnswer, "later": .unknown,
        ]
        let error = await #expect(throws: PolicyError<any Error>.self) { try await ask(router, failing: failing) }
        #expect(error?.underlying as? Failing == Failing(.unknown) && error?.reason == .attemptsExhausted)
        #expect(premium.out == 0 && compact.out == 0)
        let empty: [String: Outcome.Cause] = [
            "large": .serverError, "small": .connect, "cached": .noAnswer, "later": .noAnswer,
        ]
        let hidden = await #expect(throws: PolicyError<any Error>.self) { try await ask(router, failing: empty) }
        #expect(hidden?.underlying as? Failing == Failing(.connect), "that there was no answer hides no failure")
    }

    @Test func whenAllRefuseTheSoonestIsTold() async throws {
        let router = try ModelRouter(
            "chat", budget: purse,
            tiers: [
                Tier("a", models: [Model("a", gates: [premium])]), Tier("b", models: [Model("b", gates: [compact])]),
            ])
        premium.refuse(.breakerOpen, retryAfter: .seconds(5))
        compact.refuse(.rateLimited, retryAfter: .seconds(2))
        let error = await #expect(throws: PolicyError<any Error>.self) { try await ask(router) }
        guard case .rejected(let rejection, nil)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(rejection.reason == .rateLimited && rejection.retryAfter == .seconds(2))
    }

    @Test func aCancelledCallGoesNoFurther() async throws {
        let router = try ladder(), trail = trail, time = time
        let task = Task {
            try await router.run(idempotent, time: time) { attempt in
                trail.add(attempt)
                withUnsafeCurrentTask { $0?.cancel() }
                throw CancellationError()
            }
        }
        let error = await #expect(throws: PolicyError<any Error>.self) { try await task.value }
        #expect(error?.underlying is CancellationError && trail.all == ["premium/large"] && purse.rest == 10)
    }

    @Test func aDeadlineThatIsOverEndsTheCall() async throws {
        let router = try ladder(), time = time
        let error = await #expect(throws: PolicyError<any Error>.self) {
            try await router.run(idempotent, deadline: after(1), time: time) { _ in
                time.advance(by: .seconds(2))
                throw Failing(.serverError)
            }
        }
        guard case .timedOut(.deadline, let last)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(last as? Failing == Failing(.serverError) && purse.rest == 10, "what was paid for came back")
    }

    @Test func aTierNeedsItsTimeAndItsLoad() async throws {
        let load = Trail()
        let tiers = try [
            Tier("premium", models: [Model("large")], needs: .init(time: .seconds(5))),
            Tier(
                "busy", models: [Model("middle")],
                needs: .init(saturationBelow: 0.9) { _ in load.all.isEmpty ? 0.9 : 0.89 }),
            Tier("compact", models: [Model("small")]),
        ]
        let router = try ModelRouter("chat", budget: purse, tiers: tiers)
        #expect(try await ask(router, deadline: after(5)).mode.tier == "premium")
        let hurried = try await ask(router, deadline: after(4.9))
        #expect(hurried.mode.tier == "compact" && hurried.mode.reason == .saturated)
        load.add(Attempt(number: 1, call: Call(), started: noon))
        let relaxed = try await ask(router, deadline: after(4.9))
        #expect(relaxed.mode.tier == "busy" && relaxed.mode.reason == .tooLittleTime)
    }

    @Test func aCallGetsNoLessThanItNeeds() async throws {
        let router = try ladder()
        premium.refuse(.breakerOpen)
        let call = Call(tokens: .none, needs: .init(quality: 0.7))
        let answer = try await ask(router, call)
        #expect(answer.mode.tier == "cached" && answer.mode.reason == .belowQuality)
    }

    @Test func aCallPaysNoMoreThanItIsWorth() async throws {
        let router = try ModelRouter(
            "chat", budget: purse,
            tiers: [
                Tier(
                    "dear", models: [Model("large", .init(quality: 1, cost: .perMillion(input: 3_000, output: 6_000)))]),
                Tier(
                    "fair", models: [Model("small", .init(quality: 1, cost: .perMillion(input: 1_000, output: 2_000)))]),
            ])
        func cost(_ value: Int64?) -> Call {
            Call(tokens: .estimate(input: 1_000_000, maxOutput: 1_000_000), needs: .init(value: value))
        }
        #expect(try await ask(router, cost(9_000)).mode.tier == "dear")
        let fair = try await ask(router, cost(8_999))
        #expect(fair.mode.tier == "fair" && fair.mode.reason == .aboveValue)
        #expect(try await ask(router, cost(nil)).mode.tier == "dear")
        await #expect(throws: PolicyError<any Error>.self) { try await ask(router, cost(2_999)) }
    }
}
