internal import SpillwayCore

/// Additive increase, multiplicative decrease.
struct AIMDRule {
    struct Settings: Sendable, Hashable {
        let latency: Duration?
        let backoff: Double
        let increase: Double
        let tolerance: Double

        func validate(_ check: Validation) throws(ConfigurationError) {
            if let latency { try check.duration(latency, "aimd.latency", atLeast: .milliseconds(1)) }
            try check.require(backoff >= 0.1 && backoff < 1, "aimd.backoff", backoff, "from 0.1 to below 1")
            try check.share(increase, "aimd.increase", above: 0, upTo: 1_000)
            try check.require(tolerance >= 0 && tolerance < 1, "aimd.tolerance", tolerance, "from 0 to below 1")
        }
    }

    private let settings: Settings
    private let latency: Double

    init(_ settings: Settings) {
        self.settings = settings
        latency = settings.latency.map { Double($0.clampedNanoseconds) / 1e9 } ?? .infinity
    }

    func next(_ window: LimitLearner.Window, _ limit: Double, _ range: ClosedRange<Double>) -> Double {
        if window.dropped > settings.tolerance || window.mean > latency {
            return (limit * settings.backoff).clamped(to: range)
        }
        return window.uses(limit) ? (limit + settings.increase).clamped(to: range) : limit
    }
}
