import CAllocations
import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct RolloutTests {
    private let noon = Instant(nanoseconds: 1_000_000_000_000)

    /// Calls of both arms, whose first content takes `slower` times as long for the canary, until it is rolled back.
    @discardableResult
    private func run(
        _ rollout: Rollout, calls: Int = 20_000, slower: Double = 1, failing: Double = 0, seed: UInt64 = 1
    ) -> Int {
        let random = RandomSource.seeded(seed)
        for call in 0..<calls {
            guard rollout.state == .running else { return call }
            let arm = rollout.arm(), place = random.uniform()
            let first = 0.1 + place * (arm.isCanary ? slower : 1)
            let failed = arm.isCanary && random.uniform() < failing
            rollout.record(
                arm, .init(failed ? .failure(.serverError) : .success, firstContent: .nanoseconds(Int64(first * 1e9))),
                at: noon.advanced(by: .milliseconds(call)))
        }
        return calls
    }

    private func rollout(
        share: Double = 0.1, _ change: (inout Rollout.Configuration) -> Void = { _ in }
    ) throws -> Rollout {
        try Rollout("model", .init(share: share, change), random: .seeded(7))
    }

    @Test func aKeyKeepsItsArmAndALargerShareOnlyAdds() throws {
        let rollout = try rollout(share: 0.05), other = try Rollout("other", .init(share: 0.05))
        let keys = (0..<20_000).map { "tenant \($0)" }
        let first = Set(keys.filter { rollout.arm(for: $0) == .canary })
        #expect((900...1_100).contains(first.count))
        #expect(first == Set(keys.filter { rollout.arm(for: Call(key: $0)) == .canary }))
        let others = Set(keys.filter { other.arm(for: $0) == .canary })
        #expect(others.intersection(first).count < 150, "another rollout tries other keys")
        try rollout.update(.init(share: 0.2))
        let second = Set(keys.filter { rollout.arm(for: $0) == .canary })
        #expect(second.isSuperset(of: first) && (3_800...4_200).contains(second.count))
        try rollout.update(.init(share: 0))
        #expect(keys.allSatisfy { rollout.arm(for: $0) == .baseline } && rollout.arm() == .baseline)
        try rollout.update(.init(share: 1))
        #expect(keys.allSatisfy { rollout.arm(for: $0) == .canary } && rollout.arm(for: Call()) == .canary)
    }

    @Test func listedKeysAlwaysGetTheNewOneAndCountForNothing() throws {
        let rollout = try rollout(share: 0.05) { $0.always = (0..<1_024).map { "inside \($0)" } }
        for number in 0..<1_024 {
            let arm = rollout.arm(for: "inside \(number)")
            #expect(arm == .canary && arm.isListed)
            #expect(!rollout.record(arm, .init(.failure(.timeout)), at: noon))
        }
        #expect(rollout.evidence(.errors, at: noon)?.canary.count == 0)
        #expect((0..<1_000).count { rollout.arm(for: "outside \($0)").isListed } == 0)
        try rollout.update(.init(share: 0.05) { $0.always = ["only"] })
        #expect(rollout.arm(for: "only").isListed && !rollout.arm(for: "inside 3").isListed)
        rollout.rollBack(at: noon)
        #expect(rollout.arm(for: "only") == .baseline)
        try rollout.update(.init(share: 0.05))
        rollout.reset(at: noon)
        #expect(!rollout.arm(for: "only").isListed)
    }

    @Test func aSlowCanaryIsRolledBackWithItsEvidence() throws {
        let decisions = Locked<[Rollout.Decision]>([]), observer = RecordingObserver()
        let rollout = try Rollout(
            "model", .init(share: 0.1), observer: observer, random: .seeded(7),
            decided: { decision in decisions.withLock { $0.append(decision) } })
        let calls = run(rollout, slower: 2)
        #expect(calls < 6_000)
        guard case .rolledBack(let evidence?) = rollout.state else {
            Issue.record("not rolled back")
            return
        }
        #expect(evidence.metric == .firstContent && evidence.eValue >= evidence.threshold && evidence.threshold == 400)
        #expect(evidence.pValue <= 1.0 / 400 && evidence.share == 0.1)
        #expect(evidence.canary.mean > 1.5 * evidence.baseline.mean && evidence.excess > 0.2)
        #expect(evidence.canary.count + evidence.baseline.count == calls)
        #expect(evidence.at == noon.advanced(by: .milliseconds(calls - 1)))
        #expect(rollout.evidence(.firstContent, at: noon)?.eValue == evidence.eValue, "it stays readable")
        #expect(rollout.share == 0 && (0..<1_000).allSatisfy { rollout.arm(for: "\($0)") == .baseline })
        #expect(decisions.withLock { $0 } == rollout.decisions && rollout.decisions.map(\.kind) == [.rollBack])
        #expect(observer.transitions.map(\.to) == ["rolled_back"])
    }

    @Test func whatWasUnderWayDoesNotCountInTheNextLife() throws {
        let rollout = try rollout(), old = rollout.arm()
        rollout.rollBack(at: noon)
        #expect(!rollout.record(old, .init(.success), at: noon))
        rollout.reset(at: noon)
        #expect(!rollout.record(old, .init(.success), at: noon))
        #expect(rollout.record(rollout.arm(), .init(.success), at: noon))
        let before = rollout.arm()
        try rollout.update(.init(share: 0.2))
        #expect(!rollout.record(before, .init(.success), at: noon), "it was given by another share")
        let other = try Rollout("model", .init(share: 0.1))
        #expect(!other.record(rollout.arm(), .init(.success), at: noon), "another rollout gave it")
        #expect(rollout.state == .running && rollout.decisions.map(\.kind) == [.rollBack, .reset])
    }

    @Test func byHand() throws {
        let rollout = try rollout()
        rollout.promote(at: noon)
        #expect(rollout.state == .promoted && rollout.share == 1 && rollout.arm(for: "anybody") == .canary)
        #expect(!rollout.record(.canary, .init(.failure(.timeout)), at: noon), "nothing is compared any more")
        rollout.rollBack(at: noon)
        #expect(rollout.state == .rolledBack(nil) && rollout.share == 0)
        rollout.reset(at: noon)
        #expect(rollout.state == .running && rollout.share == 0.1)
    }

    @Test func anObserverMayDecideAgain() throws {
        let kinds = Locked<[Rollout.Decision.Kind]>([]), box = Locked<Rollout?>(nil)
        let rollout = try Rollout("model", .init(share: 0.1)) { decision in
            kinds.withLock { $0.append(decision.kind) }
            if decision.kind == .rollBack { box.withLock { $0 }?.reset(at: decision.at) }
        }
        box.withLock { $0 = rollout }
        rollout.rollBack(at: noon)
        #expect(kinds.withLock { $0 } == [.rollBack, .reset] && rollout.state == .running)
        box.withLock { $0 = nil }
    }

    @Test func shadowSaysOnceAndGoesOn() throws {
        let rollout = try rollout { $0.shadow = true }
        run(rollout, calls: 20_000, slower: 3)
        #expect(rollout.state == .running && rollout.decisions.map(\.kind) == [.wouldRollBack])
        #expect(rollout.evidence(.firstContent, at: noon)?.eValue.isFinite == true)
    }

    @Test func theRampGoesUpStepByStep() throws {
        let rollout = try rollout(share: 0.05) {
            $0.ramp = [.init(to: 0.2, after: 100), .init(to: 0.5, after: 200), .init(to: 1, after: 300)]
        }
        var shares: [Double] = []
        for call in 0..<20_000 where rollout.share < 1 {
            if shares.last != rollout.share { shares.append(rollout.share) }
            rollout.record(rollout.arm(), .init(.success), at: noon.advanced(by: .seconds(call)))
        }
        #expect(shares == [0.05, 0.2, 0.5] && rollout.share == 1)
        #expect(rollout.decisions.map(\.kind) == [.step, .step, .step])
        #expect(rollout.decisions.map(\.share) == [0.2, 0.5, 1])
        // The evidence goes on through the steps: 100 + 200 + 300 calls of the canary.
        #expect(rollout.evidence(.errors, at: noon)?.canary.count == 600)
    }

    @Test func updatesKeepTheEvidenceUnlessTheQuestionIsAnother() throws {
        let rollout = try rollout()
        run(rollout, calls: 2_000)
        let before = try #require(rollout.evidence(.errors, at: noon))
        try rollout.update(.init(share: 0.3))
        #expect(rollout.evidence(.errors, at: noon)?.rounds == before.rounds && before.rounds > 100)
        try rollout.update(.init(share: 0.3) { $0.costTolerance = nil })
        #expect(rollout.evidence(.errors, at: noon)?.rounds == 0 && rollout.evidence(.cost, at: noon) == nil)
        #expect(rollout.evidence(.errors, at: noon)?.threshold.rounded() == 300)
        #expect(throws: ConfigurationError.self) { try rollout.update(.init(share: 2)) }
        #expect(rollout.configuration.share == 0.3)
    }

    @Test func valuesThatCannotBeAreLeftAside() throws {
        let rollout = try rollout()
        for quality in [Double.nan, -0.1, 1.1, .infinity] {
            rollout.record(.canary, .init(firstContent: .seconds(-1), cost: -1, quality: quality), at: noon)
        }
        rollout.record(.baseline, .init(.neutral(.cancelled)), at: noon)
        for metric in Rollout.Metric.allCases {
            let evidence = try #require(rollout.evidence(metric, at: noon))
            #expect(evidence.canary.count == 0 && evidence.baseline.count == 0)
        }
        rollout.record(.canary, .init(firstContent: .seconds(Int64.max), cost: .max, quality: 1), at: noon)
        #expect(Rollout.Metric.allCases.map { rollout.evidence($0, at: noon)!.canary.count } == [0, 1, 1, 1])
    }

    private typealias Change = @Sendable (inout Rollout.Configuration) -> Void

    private static let bad: [(String, Change)] = [
        ("share", { $0.share = .nan }), ("share", { $0.share = 1.01 }), ("share", { $0.share = -0.01 }),
        ("errorTolerance", { $0.errorTolerance = 1 }), ("qualityTolerance", { $0.qualityTolerance = -.infinity }),
        ("firstContentTolerance", { $0.firstContentTolerance = -0.1 }),
        ("costTolerance", { $0.costTolerance = .infinity }), ("falseAlarm", { $0.falseAlarm = 0 }),
        ("falseAlarm", { $0.falseAlarm = 1 }), ("ramp.share", { $0.ramp = [.init(to: 0.05, after: 1)] }),
        ("ramp.calls", { $0.ramp = [.init(to: 0.5, after: 0)] }),
        ("always.count", { $0.always = Array(repeating: "a", count: 1_025) }),
    ]

    @Test func badConfigurations() {
        for (field, change) in Self.bad {
            do throws(ConfigurationError) {
                _ = try Rollout("model", .init(share: 0.1, change))
                Issue.record("accepted \(field)")
            } catch {
                #expect(error.field == field)
            }
        }
    }

    @Test func badNames() {
        #expect(throws: ConfigurationError.self) { try Rollout("", .init(share: 0.1)) }
        #expect(throws: ConfigurationError.self) { try Rollout(String(repeating: "x", count: 201), .init(share: 0.1)) }
    }

    @Test(.enabled(if: allocations_are_counted())) func nothingIsAllocated() throws {
        let rollout = try rollout { $0.always = ["inside"] }
        let call = Call(key: "a tenant with a name that is longer than a small string")
        func both() {
            rollout.record(
                rollout.arm(for: call), .init(.success, firstContent: .seconds(1), cost: 5, quality: 0.5), at: noon)
            rollout.record(rollout.arm(), .init(.success, firstContent: .seconds(1), cost: 5, quality: 0.5), at: noon)
        }
        for _ in 0..<200 { both() }
        let before = allocations_of_thread()
        for _ in 0..<1_000 { both() }
        #expect(allocations_of_thread() - before == 0)
    }

    @Test func manyThreadsAtOnce() async throws {
        let rollout = try rollout(share: 0.5)
        await withTaskGroup { group in
            for worker in 0..<4 {
                group.addTask {
                    for call in 0..<2_000 {
                        let arm = rollout.arm(for: "\(worker) \(call)")
                        rollout.record(arm, .init(.success, cost: Int64(call)), at: Instant(nanoseconds: Int64(call)))
                        if call % 100 == 0, worker == 0 {
                            try? rollout.update(.init(share: 0.5) { $0.always = ["\(call)"] })
                        }
                    }
                }
            }
        }
        let evidence = try #require(rollout.evidence(.errors, at: noon))
        #expect(evidence.baseline.count + evidence.canary.count <= 8_000 && evidence.baseline.count > 2_000)
    }
}

extension RandomSource {
    /// A number from 0 up to, but not including, 1.
    func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
