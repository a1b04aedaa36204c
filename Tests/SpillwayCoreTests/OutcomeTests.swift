import SpillwayCore
import Testing

@Suite struct OutcomeTests {
    private static let named: [Outcome.Cause] = [
        .none, .unknown, .connect, .transport, .timeout, .serverError, .overloaded, .rateLimited, .quotaExhausted,
        .authentication, .invalidRequest, .contextTooLong, .contentFiltered, .malformed, .truncated, .cancelled,
        .rejected, .unacceptable, .slow, .spendLimit,
    ]
    private static let all = named + (0..<16).map { Outcome.Cause.custom(UInt8($0)) }

    @Test func causesAreDifferentAndHaveLabels() {
        #expect(Set(Self.all).count == 36)
        #expect(Set(Self.all.map(\.description)).count == 36)
        #expect(Outcome.Cause.rateLimited.description == "rate_limited")
        #expect(Outcome.Cause.custom(3).description == "custom_3")
        #expect(Outcome.Cause.custom(200) == .custom(15))
        #expect(Self.all.filter(\.isCustom).count == 16)
    }

    @Test func onlySomeCausesSpeakAgainstTheTarget() {
        let innocent: Outcome.Causes = [
            .none, .rateLimited, .quotaExhausted, .authentication, .invalidRequest, .contextTooLong, .contentFiltered,
            .cancelled, .rejected, .unacceptable, .slow, .spendLimit,
        ]
        let unbegun: Outcome.Causes = [
            .connect, .overloaded, .rateLimited, .quotaExhausted, .authentication, .rejected,
        ]
        for cause in Self.all {
            #expect(cause.speaksAgainstTarget == !innocent.contains(cause), "\(cause)")
            #expect(cause.neverBegan == unbegun.contains(cause), "\(cause)")
            let succeeded = cause == .none || cause == .slow
            let expected: Outcome.Verdict =
                succeeded ? .success : innocent.contains(cause) ? .neutral : .failure
            #expect(Outcome.of(cause).verdict == expected, "\(cause)")
        }
    }

    @Test func aSlowAnswerIsASuccess() {
        #expect(Outcome.slow.verdict == .success)
        #expect(Outcome.slow.cause == .slow)
        #expect(Outcome.of(.slow) == .slow)
        #expect(Outcome.slow != .success)
        #expect(Outcome.Cause.slow.description == "slow")
        #expect(Outcome.Cause.spendLimit.description == "spend_limit")
    }

    @Test func setsOfCausesDoWhatSetsDo() {
        forSeeds(500) { seed, random in
            let left = Set(Self.all.filter { _ in random.next() % 3 == 0 })
            let right = Set(Self.all.filter { _ in random.next() % 3 == 0 })
            let one = Outcome.Causes(left), two = Outcome.Causes(right)
            #expect(one.union(two) == Outcome.Causes(left.union(right)), "seed \(seed)")
            #expect(one.intersection(two) == Outcome.Causes(left.intersection(right)), "seed \(seed)")
            #expect(one.symmetricDifference(two) == Outcome.Causes(left.symmetricDifference(right)), "seed \(seed)")
            #expect(one.subtracting(two) == Outcome.Causes(left.subtracting(right)), "seed \(seed)")
            #expect(one.isSubset(of: two) == left.isSubset(of: right), "seed \(seed)")
            #expect(one.isEmpty == left.isEmpty, "seed \(seed)")
            for cause in Self.all { #expect(one.contains(cause) == left.contains(cause), "seed \(seed), \(cause)") }
        }
    }

    @Test func insertingAndRemovingSayWhatWasThere() {
        var causes: Outcome.Causes = [.timeout]
        #expect(causes.insert(.timeout).inserted == false)
        #expect(causes.insert(.custom(15)).inserted)
        #expect(causes.update(with: .custom(15)) == .custom(15))
        #expect(causes.update(with: .connect) == nil)
        #expect(causes.remove(.malformed) == nil)
        #expect(causes.remove(.timeout) == .timeout)
        #expect(causes == [.custom(15), .connect])
        causes.formUnion([.none])
        causes.formIntersection([.none, .connect])
        causes.formSymmetricDifference([.none, .unknown])
        #expect(causes == [.connect, .unknown])
    }

    @Test func hintsAreNeverNegative() {
        #expect(Outcome.failure(.overloaded).retryAfter == nil)
        #expect(Outcome.failure(.overloaded, retryAfter: .seconds(-3)).retryAfter == .zero)
        #expect(Outcome.neutral(.rateLimited, retryAfter: .seconds(120)).retryAfter == .seconds(120))
        #expect(Outcome.of(.rateLimited, retryAfter: .seconds(Int64.max)).retryAfter == .nanoseconds(Int64.max))
        #expect(Outcome.success.cause == .none)
    }

    @Test func anOutcomeSaysWhatALogReaderUnderstands() {
        for (outcome, text) in [
            (.success, "success"), (.slow, "success(slow)"), (.failure(.timeout), "failure(timeout)"),
            (.failure(.overloaded, retryAfter: .seconds(2)), "failure(overloaded, retry after 2.0 seconds)"),
            (.neutral(.rateLimited, retryAfter: .zero), "neutral(rate_limited, retry after 0.0 seconds)"),
            (.neutral(.custom(3)), "neutral(custom_3)"), (.neutral(.none), "neutral"),
            (.of(.none, retryAfter: .seconds(1)), "success(retry after 1.0 seconds)"),
        ] as [(Outcome, String)] {
            #expect(outcome.description == text && "\(outcome)" == text)
        }
    }

    @Test func theStandardClassifierBelievesErrorsThatKnow() {
        struct Knowing: OutcomeError { let outcome = Outcome.neutral(.rateLimited, retryAfter: .seconds(3)) }
        struct Silent: Error {}
        let name = GateName(registering: "g")
        defer { name.release() }
        let standard = Classifier.standard
        #expect(standard(Knowing()) == .neutral(.rateLimited, retryAfter: .seconds(3)))
        #expect(standard(Silent()) == .failure(.unknown))
        #expect(standard(CancellationError()) == .neutral(.cancelled))
        let rejection = Rejection(by: name, reason: .other, retryAfter: .seconds(1))
        #expect(standard(rejection) == .neutral(.rejected, retryAfter: .seconds(1)))
        let mine = standard.preceded { $0 is Silent ? .failure(.connect) : nil }
        #expect(mine(Silent()) == .failure(.connect))
        #expect(mine(Knowing()).cause == .rateLimited)
    }

    @Test func tokensAreClampedNotWrapped() {
        let most = Call.Tokens.estimate(input: .max, maxOutput: 5)
        #expect(most.input == .max && most.total == .max)
        #expect(Call.Tokens.estimate(input: -1, maxOutput: -9) == .none)
        #expect(Call.Tokens.estimate(input: 3, maxOutput: 4).total == 7)
    }
}
