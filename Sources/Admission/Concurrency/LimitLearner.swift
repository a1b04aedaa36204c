internal import CSpillway
internal import SpillwayCore

/// The limit as its rule has found it; under the lock of the gate.
struct LimitLearner {
    /// What a window has gathered of calls that were admitted under one limit.
    struct Window {
        let samples: Int
        /// Calls that failed for want of capacity.
        let drops: Int
        /// The most calls in flight when one of them was admitted.
        let peak: Int
        /// Seconds that a call took on average.
        let mean: Double

        /// The share of the calls that failed for want of capacity.
        var dropped: Double { Double(drops) / Double(max(1, samples + drops)) }

        /// Whether the limit was in use, as in Netflix's concurrency-limits: at least half of it.
        func uses(_ limit: Double) -> Bool { Double(2 * peak) >= limit }
    }

    private enum Learnt {
        case nothing
        case gradient(GradientRule)
        case aimd(AIMDRule)
        case vegas(VegasRule)
        case model(ModelRule)
    }

    private var rule: ConcurrencyLimit.Rule?
    private var range = 1...1
    private var learnt = Learnt.nothing
    private var estimate = 1.0
    /// How long the next window lasts at least, in nanoseconds.
    private(set) var length: Int64 = 0

    /// Memory for ``ModelRule``, that of the state and never freed, so that nothing is allocated to count a call.
    private let pressures = Pressures()

    init() {}

    /// Forgets all and starts from what is configured.
    mutating func begin(_ configuration: ConcurrencyLimit.Configuration) {
        rule = nil
        update(configuration)
        estimate = Double(configuration.start)
    }

    /// Takes another configuration, and forgets what was learnt only if the rule is another.
    mutating func update(_ configuration: ConcurrencyLimit.Configuration) {
        switch configuration.limit {
        case .fixed(let limit):
            (rule, learnt, range) = (nil, .nothing, limit...limit)
        case .adaptive(let new):
            range = configuration.range
            if new != rule { learn(new) }
            rule = new
        }
        estimate = min(max(estimate, Double(range.lowerBound)), Double(range.upperBound))
    }

    private mutating func learn(_ rule: ConcurrencyLimit.Rule) {
        length = rule.window.clampedNanoseconds
        learnt =
            switch rule.kind {
            case .gradient(let settings): .gradient(GradientRule(settings))
            case .aimd(let settings): .aimd(AIMDRule(settings))
            case .vegas(let settings): .vegas(VegasRule(settings))
            case .model(let settings): .model(ModelRule(settings, pressures))
            }
    }

    var limit: Int { Int(estimate) }
    var samples: Int { rule?.samples ?? 0 }

    var flags: UInt32 {
        switch learnt {
        case .nothing: 0
        case .gradient, .aimd, .vegas: LimitFlags.timed
        case .model: LimitFlags.model
        }
    }

    /// Whether a failure says that the target has too much to do.
    static func speaksOfCapacity(_ cause: Outcome.Cause) -> Bool { cause == .overloaded || cause == .timeout }

    /// Lets a rule that goes by round trips say what the limit is after a window.
    mutating func close(_ gathered: spw_concurrency_window) {
        // Calls shorter than the step that times are counted in took some of it: no time at all would be no measure.
        let mean = gathered.samples == 0 ? 0 : max(512, Double(gathered.sum) / Double(gathered.samples))
        let window = Window(
            samples: Int(gathered.samples), drops: Int(gathered.drops), peak: Int(gathered.peak), mean: mean / 1e9)
        let limits = Double(range.lowerBound)...Double(range.upperBound)
        switch learnt {
        case .nothing, .model: return
        case .gradient(var rule):
            estimate = rule.next(window, estimate, limits)
            learnt = .gradient(rule)
        case .aimd(let rule): estimate = rule.next(window, estimate, limits)
        case .vegas(var rule):
            estimate = rule.next(window, estimate, limits)
            learnt = .vegas(rule)
        }
        setLength(mean)
    }

    /// A window lasts at least two round trips, as in Netflix's `WindowedLimit`, and at most a minute for that.
    private mutating func setLength(_ mean: Double) {
        guard let least = rule?.window.clampedNanoseconds else { return }
        length = max(least, Int64(min(2 * mean, 60e9)))
    }

    // MARK: Calls to models

    mutating func record(_ sample: ModelSample) {
        guard case .model(var rule) = learnt else { return }
        rule.record(sample)
        learnt = .model(rule)
    }

    /// Whether enough calls to a model have been measured.
    var hasEnough: Bool {
        guard case .model(let rule) = learnt else { return false }
        return rule.count >= samples
    }

    mutating func closeModel(at now: Instant) {
        guard case .model(var rule) = learnt else { return }
        setLength(rule.meanTime / 2 * 1e9)
        estimate = rule.next(estimate, Double(range.lowerBound)...Double(range.upperBound), at: now)
        learnt = .model(rule)
    }
}

extension Double {
    func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
