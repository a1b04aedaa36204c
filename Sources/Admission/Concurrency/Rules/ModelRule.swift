internal import SpillwayCore

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// What one call to a model teaches.
struct ModelSample {
    let lacksCapacity: Bool
    /// Seconds from admission to the end.
    let took: Double
    /// Calls in flight when it was admitted.
    let inFlight: Int
    let admitted: Instant
    let measured: Measurements

    init(_ outcome: Outcome, _ measured: Measurements?, from admitted: Instant, to now: Instant, inFlight: Int) {
        lacksCapacity = outcome.verdict == .failure && LimitLearner.speaksOfCapacity(outcome.cause)
        took = Double(admitted.duration(to: now).clampedNanoseconds) / 1e9
        self.admitted = admitted
        self.inFlight = inFlight
        self.measured = measured ?? Measurements()
    }
}

/// Keeps the share of calls that miss their goals where it should be.
///
/// How near each call came to missing is its pressure, in octaves: 0 just met its goals, 1 took twice as long. What counts is
/// the quantile that all but the share that may miss stay below: it says how far away the right limit is, not only on which
/// side of it. The steps were chosen in the simulation `overload`, for engines short of compute and of memory.
struct ModelRule {
    struct Settings: Sendable, Hashable {
        let firstContent: Duration
        let tokensPerSecond: Double
        let missing: Double

        func validate(_ check: Validation) throws(ConfigurationError) {
            try check.duration(firstContent, "model.firstContent", atLeast: .milliseconds(1))
            try check.share(tokensPerSecond, "model.tokensPerSecond", above: 0, upTo: 1_000_000)
            try check.share(missing, "model.missing", above: 0, upTo: 0.5)
        }
    }

    private let settings: Settings
    /// Seconds.
    private let goal: Double
    private(set) var count = 0
    private var time = 0.0
    private var peak = 0
    /// When the limit became what it is, as far as that is known, and how long calls from then on do not count.
    private var opened: Instant?
    private var settling: Duration
    private let pressures: Pressures
    /// Where too many calls missed their goals the last time; it rises by 5 % with every window in which they did not.
    private var ceiling = Double.infinity
    /// The share of calls that miss their goals even with the limit at its minimum, so that lower ones would not help.
    private var excused = 0.0

    init(_ settings: Settings, _ pressures: Pressures) {
        self.settings = settings
        self.pressures = pressures
        pressures.clear()
        settling = settings.firstContent
        goal = Double(settings.firstContent.clampedNanoseconds) / 1e9
    }

    /// Seconds that a call took on average.
    var meanTime: Double { count == 0 ? 0 : time / Double(count) }

    mutating func record(_ sample: ModelSample) {
        guard count < 255, let pressure = pressure(of: sample) else { return }
        // The time goes back: the call was admitted under this limit all the same.
        if opened.map({ sample.admitted < $0 }) ?? true { opened = sample.admitted }
        // Calls that fill new places come all at once, and wait for each other as others will not.
        let counts = opened.map { $0.duration(to: sample.admitted) >= settling } ?? false
        guard counts || sample.lacksCapacity else { return }
        count += 1
        time += sample.took
        peak = max(peak, sample.inFlight)
        pressures.add(pressure)
    }

    /// How near a call came to missing its goals: 1 just met them, 2 took twice as long; nil: that is not known.
    private func pressure(of sample: ModelSample) -> Double? {
        if sample.lacksCapacity { return .infinity }
        let measured = sample.measured
        if let first = measured.firstContent {
            let wait = Double(first.clampedNanoseconds) / 1e9 / goal
            guard let rate = measured.tokensPerSecond else { return wait }
            return max(wait, rate > 0 ? settings.tokensPerSecond / rate : .infinity)
        }
        // An answer that came whole: it may take as long as one that just meets both goals.
        guard let usage = measured.usage else { return nil }
        return sample.took / (goal + Double(usage.answerTokens) / settings.tokensPerSecond)
    }

    /// Ends a window at `now` and says what the limit is from then on.
    mutating func next(_ limit: Double, _ range: ClosedRange<Double>, at now: Instant) -> Double {
        let next = count == 0 ? limit : decide(limit, range).clamped(to: range)
        (count, time, peak) = (0, 0, 0)
        pressures.clear()
        opened = now
        settling = next > limit ? settings.firstContent : .zero
        return next
    }

    private mutating func decide(_ limit: Double, _ range: ClosedRange<Double>) -> Double {
        excused *= 0.99
        // What is excused is a share of few calls, so it varies.
        let excuse = excused + (excused * (1 - excused) / Double(count)).squareRoot()
        let allowed = Double(count) * min(settings.missing + excuse, 0.5)
        let pressure = pressures.above(allowed), used = min(limit, Double(peak))
        if pressure > 0 {
            if limit <= range.lowerBound { excused = max(excused, Double(pressures.missed) / Double(count)) }
            ceiling = used
            // From what was in use: to lower a limit that nobody has reached helps nobody.
            return used * exp2(-0.3 * min(pressure, 2))
        }
        guard used >= 0.9 * limit else { return limit }
        ceiling *= 1.05
        // A quarter below the ceiling and more in steps as large as the pressure allows, near to it in small ones.
        let step = exp2((ceiling == .infinity ? 0.8 : 0.5) * min(-pressure, 2))
        let most = limit < 0.75 * ceiling ? 1.5 : 1.03
        return max(limit * min(step, most), limit + min(1, -4 * pressure))
    }
}
