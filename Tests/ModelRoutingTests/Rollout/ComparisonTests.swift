import SpillwayCore
import Testing

@testable import ModelRouting

/// That the test holds what it promises: here on fewer seeds, `FleetSimulation canary` on ten thousand.
@Suite struct ComparisonTests {
    private func comparison(
        _ metric: Rollout.Metric, tolerance: Double, share: Double, _ body: (inout ArmComparison) -> Void
    ) {
        let values = UnsafeMutablePointer<Double>.allocate(capacity: ArmComparison.most)
        let arms = UnsafeMutablePointer<Bool>.allocate(capacity: ArmComparison.most)
        values.initialize(repeating: 0, count: ArmComparison.most)
        arms.initialize(repeating: false, count: ArmComparison.most)
        defer {
            values.deallocate()
            arms.deallocate()
        }
        var comparison = ArmComparison(metric, tolerance: tolerance, share: share, values, arms)
        body(&comparison)
    }

    /// A wager within its tolerance is a supermartingale: the mean of the capital over all outcomes of a round never grows.
    @Test func capitalNeverGrowsInTheMean() {
        var trees: [(Wager, Double)] = [(Wager([0.1, 0.3, 0.6, 0.98]), 1)]
        for round in 1...12 {
            // Fair: worse by 1 with one half, better by 1 with the other.
            trees = trees.flatMap { wager, chance in
                [1.0, -1].map { difference in
                    var next = wager
                    next.play(difference)
                    return (next, chance / 2)
                }
            }
            let mean = trees.reduce(0) { $0 + $1.0.value * $1.1 }
            // What has come into play so far: the half at the beginning, and of the other 1 - 100/(n + 100).
            let invested = 0.5 + 0.5 * (1 - 100 / Double(round + 100))
            #expect(abs(mean - invested) < 1e-9, "round \(round)")
        }
    }

    /// A block with a trend as steep as can be: the arms are left to chance, so it says nothing.
    @Test func aTrendSaysNothing() {
        var alarms = 0
        let seeds: Range<UInt64> = 1..<401
        for seed in seeds {
            let random = RandomSource.seeded(seed)
            comparison(.firstContent, tolerance: 0, share: 0.1) { comparison in
                for call in 0..<10_000 {
                    _ = comparison.add(Double(call % 700 + 1), canary: random.uniform() < 0.1)
                    if comparison.value >= 100 {
                        alarms += 1
                        break
                    }
                }
            }
        }
        // One in a hundred at most; 12 of 400 have a chance of about one in a thousand.
        #expect(alarms < 12, "seeds \(seeds)")
    }

    @Test(arguments: [0.01, 0.05, 0.3, 0.5, 0.7, 0.95])
    func everyShareFindsWhatIsWorseAndKeepsWhatIsNot(share: Double) {
        for metric in Rollout.Metric.allCases {
            let random = RandomSource.seeded(UInt64(share * 1_000))
            func value(_ canary: Bool, worse: Bool) -> Double {
                let dice = random.uniform()
                switch metric {
                case .errors: return dice < (canary && worse ? 0.3 : 0.05) ? 1 : 0
                case .firstContent, .cost: return (1 + 9 * dice) * (canary && worse ? 2 : 1)
                case .quality: return 0.4 + 0.5 * dice - (canary && worse ? 0.3 : 0)
                }
            }
            for worse in [false, true] {
                comparison(metric, tolerance: 0.02, share: share) { comparison in
                    var found = false
                    for _ in 0..<60_000 where !found {
                        let canary = random.uniform() < share
                        found = comparison.add(value(canary, worse: worse), canary: canary) && comparison.value >= 400
                    }
                    #expect(found == worse, "\(metric), share \(share)")
                }
            }
        }
    }

    @Test func equalValuesSpeakForTheCanary() {
        comparison(.cost, tolerance: 0, share: 0.5) { comparison in
            for call in 0..<5_000 { _ = comparison.add(7, canary: call % 2 == 0) }
            #expect(comparison.value < 1 && comparison.meanExcess == -1)
        }
    }

    @Test func oneArmAloneIsNoEvidence() {
        for canary in [false, true] {
            comparison(.errors, tolerance: 0, share: 0.5) { comparison in
                for _ in 0..<5_000 {
                    let played = comparison.add(1, canary: canary)
                    #expect(!played)
                }
                #expect(comparison.value == 0 && comparison.rounds == 0)
            }
        }
    }

    /// A canary that was good for long is still found soon: capital is held back for it.
    @Test func whatGetsWorseLateIsFound() {
        let random = RandomSource.seeded(3)
        comparison(.firstContent, tolerance: 0.1, share: 0.1) { comparison in
            var canaries = 0, found: Int?
            while found == nil, canaries < 8_000 {
                let canary = random.uniform() < 0.1, worse = canary && canaries > 5_000
                if canary { canaries += 1 }
                if comparison.add((1 + random.uniform()) * (worse ? 2 : 1), canary: canary), comparison.value >= 400 {
                    found = canaries - 5_000
                }
            }
            #expect((1..<100).contains(found ?? 0))
        }
    }
}
