internal import SpillwayCore

/// Netflix's `Gradient2Limit` with a baseline that load cannot raise.
struct GradientRule {
    struct Settings: Sendable, Hashable {
        let tolerance: Double
        let queue: Int
        let smoothing: Double
        let longWindow: Int
        let drift: Double

        func validate(_ check: Validation) throws(ConfigurationError) {
            try check.number(tolerance, "gradient.tolerance", in: 1...100)
            try check.count(queue, "gradient.queue", in: 0...1_000)
            try check.share(smoothing, "gradient.smoothing", above: 0, upTo: 1)
            try check.count(longWindow, "gradient.longWindow", in: 1...1_000_000)
            try check.share(drift, "gradient.drift", above: 0, upTo: 1)
        }
    }

    private let settings: Settings
    private var long = Baseline()

    init(_ settings: Settings) { self.settings = settings }

    mutating func next(_ window: LimitLearner.Window, _ limit: Double, _ range: ClosedRange<Double>) -> Double {
        if let before = long.endProbe(window, minimum: range.lowerBound) { return before.clamped(to: range) }
        if window.samples > 0 {
            long.learn(window, share: 2 / Double(settings.longWindow + 1), minimum: range.lowerBound)
            if long.time > 2 * window.mean { long.shrink(by: settings.drift) }
        }
        guard window.uses(limit) || window.dropped > 0.1 else { return limit }
        let lacks = window.dropped > 0.1 || window.samples == 0
        let gradient = lacks ? 0.5 : (settings.tolerance * long.time / window.mean).clamped(to: 0.5...1)
        // Without capacity there is no queue to allow for.
        let target = limit * gradient + (lacks ? 0 : Double(settings.queue))
        let next = (limit + settings.smoothing * (target - limit)).clamped(to: range)
        guard gradient < 1, !lacks else { return next }
        return long.probe(from: next, minimum: range.lowerBound) ?? next
    }
}
