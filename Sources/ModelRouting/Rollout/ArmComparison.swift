internal import CSpillway

/// Compares both arms by one metric, as their calls end.
///
/// Calls are taken in blocks of a fixed number, whichever arm they took, so both are compared while the same load and the
/// same hour lasts. A block is shuffled, and each call of the rarer arm is compared with as many of the other as there
/// are for it. Given who was called when, the arms of a block are a matter of chance, so within the tolerance every
/// order is as probable as any other, whatever the trend in the block (Fisher's randomisation test; for the sequential
/// use Ramdas et al., *Game-theoretic statistics and safe anytime-valid inference*, 2023).
///
/// Times and costs have heavy tails, so only their order counts: how many of the baseline's are below a canary's, which is
/// first divided by 1 + tolerance (the Mann-Whitney statistic). A third of the capital bets on the uppermost tenth alone,
/// which finds a canary that is as fast as ever but for one call in ten. Errors and qualities are compared by their means.
struct ArmComparison {
    /// The most calls of a block.
    static let most = 128

    private let metric: Rollout.Metric
    private let tolerance: Double
    private let size: Int
    /// The values of the block under way.
    private let values: UnsafeMutablePointer<Double>
    private let isCanary: UnsafeMutablePointer<Bool>
    private var count = 0
    private var random: UInt64
    private var means = Wager([0.1, 0.3, 0.6, 0.98])
    private var tails = Wager([1, 2, 4, 6])

    /// What was recorded of each arm, and what came of comparing them.
    private(set) var baseline = Rollout.Figures()
    private(set) var canary = Rollout.Figures()
    private(set) var rounds = 0
    private var excess = 0.0

    /// A comparison with no calls yet, over memory for ``most`` values that the caller frees.
    init(
        _ metric: Rollout.Metric, tolerance: Double, share: Double, _ values: UnsafeMutablePointer<Double>,
        _ isCanary: UnsafeMutablePointer<Bool>
    ) {
        self.metric = metric
        self.tolerance = tolerance
        self.values = values
        self.isCanary = isCanary
        size = Self.size(share: share)
        // The order in which a block is played is a matter of chance, but the same for the same calls.
        random = UInt64(metric.rawValue)
    }

    /// So many that some three are of the rarer arm.
    private static func size(share: Double) -> Int {
        let rarer = min(share, 1 - share)
        return rarer <= 0 ? most : Int(min(max((3 / rarer).rounded(.up), 8), Double(most)))
    }

    /// The same evidence, with an empty block for another share.
    func continued(share: Double) -> ArmComparison {
        var next = ArmComparison(metric, tolerance: tolerance, share: share, values, isCanary)
        next.random = random
        (next.means, next.tails) = (means, tails)
        (next.baseline, next.canary, next.rounds, next.excess) = (baseline, canary, rounds, excess)
        return next
    }

    /// The e-value: how many times the capital has grown.
    var value: Double { isRanked ? (2 * means.value + tails.value) / 3 : means.value }

    /// By how much the canary was worse in the mean of all rounds; of ranks: how much more often it was worse than better, from
    /// -1 to 1.
    var meanExcess: Double { rounds == 0 ? 0 : excess / Double(rounds) }

    private var isRanked: Bool { metric == .firstContent || metric == .cost }

    /// Takes one call in; true when a block has been played, so that the e-value may have grown.
    mutating func add(_ value: Double, canary took: Bool) -> Bool {
        if took { canary.add(value) } else { baseline.add(value) }
        values[count] = value
        isCanary[count] = took
        count += 1
        guard count == size else { return false }
        shuffle()
        let played = play()
        count = 0
        return played
    }

    private mutating func shuffle() {
        for last in stride(from: count - 1, to: 0, by: -1) {
            random &+= 0xa076_1d64_78bd_642f
            let other = Int(spw_random_mix(random).multipliedFullWidth(by: UInt64(last + 1)).high)
            (values[last], values[other]) = (values[other], values[last])
            (isCanary[last], isCanary[other]) = (isCanary[other], isCanary[last])
        }
    }

    /// One round for each call of the rarer arm, with calls of the other that no other round uses.
    private mutating func play() -> Bool {
        var canaries = 0
        for index in 0..<count where isCanary[index] { canaries += 1 }
        let isRare = canaries <= count - canaries
        let rare = min(canaries, count - canaries)
        guard rare > 0 else { return false }
        let others = (count - rare) / rare
        var place = 0, other = 0
        for _ in 0..<rare {
            while isCanary[place] != isRare { place += 1 }
            let value = values[place]
            place += 1
            var below = 0, sum = 0.0, left = others
            while left > 0 {
                if isCanary[other] != isRare {
                    let its = values[other]
                    sum += its
                    // A tie speaks for the canary.
                    if isRare ? value > its * (1 + tolerance) : its > value * (1 + tolerance) { below += 1 }
                    left -= 1
                }
                other += 1
            }
            let mean = sum / Double(others)
            round(canary: isRare ? value : mean, baseline: isRare ? mean : value, below, of: others)
        }
        return true
    }

    private mutating func round(canary: Double, baseline: Double, _ below: Int, of others: Int) {
        rounds += 1
        let difference: Double
        switch metric {
        case .firstContent, .cost:
            difference = Double(2 * below) / Double(others) - 1
            excess += difference
            // The ranks of the uppermost tenth, if there are so many, and how probable they are.
            let ranks = Double(others + 1), first = (0.9 * ranks).rounded(.up), chance = (ranks - first) / ranks
            if chance > 0 { tails.play((Double(below) >= first ? 1 : 0) - chance) }
        case .errors, .quality:
            let worse = metric == .errors ? canary - baseline : baseline - canary
            excess += worse
            difference = (worse - tolerance) / (1 + tolerance)
        }
        means.play(difference)
    }
}
