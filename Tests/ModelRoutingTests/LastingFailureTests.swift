import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// What holds for the call that meets a failure holds for those after it.
@Suite struct LastingFailureTests {
    let time = ManualTime(noon), purse = Purse(1_000)

    func ask(_ router: ModelRouter, _ failing: [String: Outcome]) async throws -> String {
        try await router.run(idempotent, time: time) { (attempt) async throws -> String in
            if let outcome = failing[attempt.target!] { throw Failed(outcome: outcome) }
            return attempt.target!
        }.answer
    }

    struct Failed: OutcomeError { let outcome: Outcome }

    func tiers(_ cause: Outcome.Cause) throws -> [Tier] {
        try [
            Tier("own", models: [Model("own")], fallbacks: [cause: "elastic"]),
            Tier("compact", models: [Model("small")]),
            Tier("elastic", models: [Model("rented")], isSpare: true),
        ]
    }

    @Test func spillsAsLongAsThereIsNoCapacity() async throws {
        let router = try ModelRouter("chat", budget: purse, tiers: tiers(.overloaded))
        for _ in 0..<20 { #expect(try await ask(router, ["own": .failure(.overloaded)]) == "rented") }
        #expect(router.mode.tier == "compact", "the ladder has left its own")
    }

    @Test func goesToTheOtherKeyForAsLongAsTheProviderAsks() async throws {
        let router = try ModelRouter("chat", budget: purse, tiers: tiers(.rateLimited))
        let limited = Outcome.neutral(.rateLimited, retryAfter: .seconds(60))
        for _ in 0..<5 { #expect(try await ask(router, ["own": limited]) == "rented") }
    }

    @Test func aBusyTierSpills() async throws {
        let router = try ModelRouter(
            "chat", budget: purse,
            tiers: [
                Tier(
                    "own", models: [Model("own")], needs: .init(saturationBelow: 0.9) { _ in 1 },
                    fallbacks: [.overloaded: "elastic"]), Tier("compact", models: [Model("small")]),
                Tier("elastic", models: [Model("rented")], isSpare: true),
            ])
        #expect(try await ask(router, [:]) == "rented")
    }

    @Test func aTierWithoutAModelThatWasLeftIsAskedAtLast() async throws {
        let router = try ModelRouter("chat", budget: purse, tiers: [Tier("later", .deferral)])
        for _ in 0..<5 { _ = try? await ask(router, ["later": .failure(.transport)]) }
        for _ in 0..<5 { #expect(try await ask(router, [:]) == "later") }
    }

    @Test func oldResultsDoNotBringATierBack() async throws {
        let router = try ladder()
        try await withCallsUnderWay(router, thenFailing: nil) {
            #expect(router.mode.tier == "compact")
        }
        #expect(router.mode.tier == "compact", "they say nothing of its health since")
    }

    @Test func oldFailuresDoNotTakeATierAway() async throws {
        let router = try ladder()
        try await withCallsUnderWay(router, thenFailing: .failure(.timeout)) {
            for _ in 0..<3 {
                time.advance(by: .seconds(1))
                _ = try await ask(router, [:])
            }
            #expect(router.mode.tier == "premium", "it is well again")
        }
        #expect(router.mode.tier == "premium" && router.changes.count == 2, "they say nothing of its health since")
        for _ in 0..<3 { _ = try await ask(router, ["large": .failure(.serverError)]) }
        #expect(router.mode.tier == "compact", "new ones do")
    }

    func ladder() throws -> ModelRouter {
        let model = try Model("large", .init { $0.failuresToCool = 1_000 })
        return try ModelRouter(
            "chat", budget: purse, hysteresis: Hysteresis { $0.dwell = .zero },
            tiers: [Tier("premium", models: [model]), Tier("compact", models: [Model("small")])])
    }

    /// Calls are under way when the first tier falls, and end half a minute later, after `meanwhile`.
    func withCallsUnderWay(
        _ router: ModelRouter, thenFailing outcome: Outcome?, _ meanwhile: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    _ = try? await router.run(idempotent, time: time) { (attempt) async throws in
                        guard attempt.target == "large" else { return }
                        try await time.sleep(until: after(30))
                        if let outcome { throw Failed(outcome: outcome) }
                    }
                }
            }
            await time.waitForSleepers(5)
            time.advance(by: .seconds(1))
            for _ in 0..<3 { _ = try await ask(router, ["large": .failure(.serverError)]) }
            try await meanwhile()
            time.advance(by: noon.duration(to: after(30)))
            try await group.waitForAll()
        }
    }

    /// A tail that has no answer must not make a call repeatable.
    @Test func whatMayHaveBegunIsNotBegunAgain() async throws {
        let call = Call(tokens: .estimate(input: 1, maxOutput: 1))
        let router = try ModelRouter(
            "chat", budget: purse, tiers: [Tier("a", models: [Model("m"), Model("n")]), Tier("cached", .cache)])
        var asked: [String] = []
        _ = try? await router.run(call, time: time) { attempt in
            asked.append(attempt.target!)
            throw Failed(outcome: attempt.target == "cached" ? .failure(.connect) : .failure(.serverError))
        }
        #expect(asked == ["m", "cached"])
    }

    @Test func refusalsAreToldAndNotTheLackOfAnAnswer() async throws {
        let door = Door("purse", .spendLimit)
        let router = try ModelRouter(
            "chat", budget: purse, tiers: [Tier("a", models: [Model("m", gates: [door])]), Tier("cached", .cache)])
        let error = await #expect(throws: PolicyError<any Error>.self) {
            try await ask(router, ["cached": .neutral(.noAnswer)])
        }
        #expect(error?.reason == .spendLimit && error?.underlying == nil)
    }

    @Test func anErrorThatIsTakenForASuccessIsAFailure() async throws {
        let router = try ModelRouter("chat", budget: purse, tiers: [Tier("a", models: [Model("m"), Model("n")])])
        #expect(try await ask(router, ["m": .success]) == "n")
    }
}
