import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct AnswerCheckTests {
    private struct Broken: Error {}

    @Test func theFirstThatFailsIsNamed() async throws {
        let checks = try AnswerChecks<String>([.notEmpty { $0 }, .length(2...5) { $0 }, .jsonObject { $0 }])
        #expect(checks.judge(" \n\t") == .neutral(.unacceptable))
        await #expect(throws: AnswerRefused(check: "length", reason: "9 characters, but must be 2 to 5")) {
            try await checks.verify("too long!")
        }
        await #expect(throws: AnswerRefused(check: "json_object", reason: "not a JSON object")) {
            try await checks.verify("[1]")
        }
        try await checks.verify("{}")
        #expect(checks.judge("{ }") == .success)
        #expect(checks.counts.map(\.failed) == [1, 1, 1] && checks.counts.map(\.passed) == [4, 3, 2])
        #expect(AnswerRefused(check: "a", reason: "b").outcome == .neutral(.unacceptable))
    }

    @Test func finishReasons() throws {
        let checks = try AnswerChecks<String?>([.finished { $0 }])
        #expect(checks.judge("stop") == .success && checks.judge("end_turn") == .success)
        #expect(checks.judge("length") == .neutral(.unacceptable) && checks.judge(nil) == .neutral(.unacceptable))
    }

    @Test func aBrokenCheckLosesNoAnswerUnlessToldSo() async throws {
        let mild = try AnswerChecks<Int>([AnswerCheck("mild") { _ in throw Broken() }])
        try await mild.verify(1)
        #expect(mild.judge(1) == .success && mild.counts[0].troubled == 2)
        let strict = try AnswerChecks<Int>([AnswerCheck("strict", trouble: .fails) { _ in throw Broken() }])
        await #expect(throws: AnswerRefused.self) { try await strict.verify(1) }
        #expect(strict.counts[0].troubled == 1 && strict.counts[0].failed == 0)
    }

    @Test(arguments: [true, false]) func aCheckThatHangsIsLeft(strict: Bool) throws {
        let simulation = Simulation(seed: 5), time = simulation.time
        try simulation.run {
            let checks = try AnswerChecks<Int>([
                .asynchronous("judge", timeout: .seconds(3), trouble: strict ? .fails : .passes) { _ in
                    try await time.sleep(for: .seconds(1_000))
                    return .passed
                }
            ])
            let began = time.now
            do {
                try await checks.verify(1, time: time)
                #expect(!strict)
            } catch {
                #expect(strict && error is AnswerRefused)
            }
            #expect(began.duration(to: time.now) == .seconds(3) && checks.counts[0].troubled == 1)
        }
    }

    @Test func asynchronousOnesDecideAndAreCancelledWithTheCaller() throws {
        let simulation = Simulation(seed: 6), time = simulation.time
        try simulation.run {
            let checks = try AnswerChecks<Int>([
                .asynchronous("even", timeout: .seconds(60)) { answer in
                    try await time.sleep(for: .seconds(10))
                    return answer % 2 == 0 ? .passed : .failed("odd")
                }
            ])
            try await checks.verify(2, time: time)
            await #expect(throws: AnswerRefused(check: "even", reason: "odd")) {
                try await checks.verify(3, time: time)
            }
            let caller = simulation.start("caller") { try await checks.verify(2, time: time) }
            try await time.sleep(for: .seconds(1))
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(checks.counts[0].passed == 1 && checks.counts[0].failed == 1 && checks.counts[0].troubled == 0)
        }
    }

    @Test func aShareIsLookedAt() throws {
        let checks = try AnswerChecks<Int>(
            [
                AnswerCheck("tenth", share: 0.1) { _ in .failed("always") },
                AnswerCheck("never", share: 0) { _ in .failed("") },
            ],
            random: .seeded(1))
        let failed = (0..<10_000).count { checks.judge($0) != .success }
        #expect((850...1_150).contains(failed) && checks.counts[0].skipped == 10_000 - failed)
        #expect(checks.counts[1].failed == 0)
    }

    @Test func badChecks() {
        let fine = AnswerCheck<Int>("a") { _ in .passed }
        for checks in [
            [], [fine, fine], [AnswerCheck("") { _ in .passed }], [AnswerCheck("a", share: .nan) { _ in .passed }],
            [AnswerCheck("a", share: 1.5) { _ in .passed }],
            [.asynchronous("a", timeout: .zero) { _ in .passed }],
            (0..<65).map { number in AnswerCheck("\(number)") { _ in .passed } },
        ] as [[AnswerCheck<Int>]] {
            #expect(throws: ConfigurationError.self) { try AnswerChecks(checks) }
        }
    }

    @Test(arguments: [
        ("{}", true), (" {\"a\": [1, -0.5e+3, true, false, null, \"x\\u00e9\\n\"]} ", true),
        ("{\"a\":{\"b\":{}}}", true),
        ("", false), ("[]", false), ("{", false), ("{\"a\"}", false), ("{\"a\":}", false), ("{\"a\":1,}", false),
        ("{\"a\":01}", false), ("{\"a\":.5}", false), ("{\"a\":1.}", false), ("{\"a\":1e}", false), ("{} x", false),
        ("{\"a\":\"\u{1}\"}", false), ("{\"a\":\"\\x\"}", false), ("{\"a\":\"\\u12g4\"}", false), ("{'a':1}", false),
        ("{\"a\":tru}", false), ("{\"a\":nan}", false), ("Here it is: {\"a\":1}", false), ("{\"a\":\"", false),
        ("{\"a\":" + String(repeating: "[", count: 100_000), false),
        ("{\"a\":" + String(repeating: "[", count: 100) + String(repeating: "]", count: 100) + "}", true),
    ])
    func json(text: String, isObject: Bool) throws {
        let checks = try AnswerChecks<String>([.jsonObject { $0 }])
        #expect((checks.judge(text) == .success) == isObject)
    }
}
