internal import SpillwayCore

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// TCP Vegas as Netflix's `VegasLimit` has it, with a baseline that load cannot raise.
struct VegasRule {
    struct Settings: Sendable, Hashable {
        let alpha: Double
        let beta: Double
        let smoothing: Double

        func validate(_ check: Validation) throws(ConfigurationError) {
            try check.share(beta, "vegas.beta", above: 0, upTo: 1_000)
            try check.require(
                alpha > 0 && alpha < beta, "vegas.alpha", alpha, "above 0 and below beta, which is \(beta)")
            try check.share(smoothing, "vegas.smoothing", above: 0, upTo: 1)
        }
    }

    private let settings: Settings
    private var noLoad = Baseline()

    init(_ settings: Settings) { self.settings = settings }

    mutating func next(_ window: LimitLearner.Window, _ limit: Double, _ range: ClosedRange<Double>) -> Double {
        if let before = noLoad.endProbe(window, minimum: range.lowerBound) { return before.clamped(to: range) }
        if window.samples > 0 {
            // The least that was seen, at once; more only little by little.
            let isLess = noLoad.time == 0 || window.mean < noLoad.time
            noLoad.learn(window, share: isLess ? 1 : 0.1, minimum: range.lowerBound)
        }
        let unit = max(1, log10(limit))
        var target = limit
        if window.drops > 0 {
            target -= unit
        } else if window.uses(limit) {
            let queue = (limit * (1 - noLoad.time / window.mean)).rounded(.up)
            if queue <= unit {
                target += settings.beta * unit
            } else if queue < settings.alpha * unit {
                target += unit
            } else if queue > settings.beta * unit {
                target -= unit
            }
        }
        let next = (limit + settings.smoothing * (target - limit)).clamped(to: range)
        guard target <= limit, window.drops == 0, window.uses(limit) else { return next }
        return noLoad.probe(from: next, minimum: range.lowerBound) ?? next
    }
}
