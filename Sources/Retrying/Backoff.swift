public import SpillwayCore

/// How long to wait before each retry.
///
/// Kinds and jitters are those of Brooker, *Exponential backoff and jitter* (AWS Architecture Blog, 2015).
public struct Backoff: Sendable, Hashable {
    private enum Growth: Hashable {
        case constant
        case linear
        case exponential(Double)
    }

    /// How the wait is spread, so that callers that failed together do not come back together.
    public struct Jitter: Sendable, Hashable {
        fileprivate enum Kind { case none, full, equal, decorrelated }
        fileprivate let kind: Kind

        /// No spread: the ceiling itself.
        public static let none = Jitter(kind: .none)
        /// From zero to the ceiling.
        public static let full = Jitter(kind: .full)
        /// From half of the ceiling to the ceiling.
        public static let equal = Jitter(kind: .equal)
        /// From the first wait to three times the wait before, at most the cap.
        public static let decorrelated = Jitter(kind: .decorrelated)
    }

    private let growth: Growth
    /// Nanoseconds.
    private let base: Int64
    /// Nanoseconds.
    private let cap: Int64
    private let jitter: Jitter

    private init(
        _ growth: Growth, _ base: Duration, _ cap: Duration, _ jitter: Jitter
    ) throws(ConfigurationError) {
        let check = Validation("Backoff")
        try check.duration(base, "base")
        try check.duration(cap, "cap", atLeast: base)
        if case .exponential(let factor) = growth { try check.number(factor, "factor", in: 1...1_000) }
        self.growth = growth
        self.base = base.clampedNanoseconds
        self.cap = cap.clampedNanoseconds
        self.jitter = jitter
    }

    private init() {
        growth = .constant
        base = 0
        cap = 0
        jitter = .none
    }

    /// No wait at all.
    public static let none = Backoff()

    /// The default of ``Retry``: exponential from 200 ms by 2 to 20 s, with full jitter.
    public static var standard: Backoff {
        // These values pass the checks above.
        try! exponential(from: .milliseconds(200))
    }

    /// `base` before every retry.
    ///
    /// - Throws: `ConfigurationError` for a negative wait or one above 10 years.
    public static func constant(_ base: Duration, jitter: Jitter = .none) throws(ConfigurationError) -> Backoff {
        try Backoff(.constant, base, base, jitter)
    }

    /// `base`, then 2 × `base`, then 3 × `base`, at most `cap` (20 s by default).
    ///
    /// - Throws: `ConfigurationError` for a negative wait or a cap below the base.
    public static func linear(
        from base: Duration, cap: Duration = .seconds(20), jitter: Jitter = .full
    ) throws(ConfigurationError) -> Backoff {
        try Backoff(.linear, base, cap, jitter)
    }

    /// `base`, then `factor` × `base`, then `factor`² × `base`, at most `cap` (20 s by default).
    ///
    /// - Throws: `ConfigurationError` for a negative wait, a cap below the base, or a factor that is not from 1 to 1,000.
    public static func exponential(
        from base: Duration, factor: Double = 2, cap: Duration = .seconds(20), jitter: Jitter = .full
    ) throws(ConfigurationError) -> Backoff {
        try Backoff(.exponential(factor), base, cap, jitter)
    }

    /// The wait before retry number `retry` (1 is the first).
    ///
    /// - Parameters:
    ///   - retry: The number of the retry, 1 for the first.
    ///   - previous: The wait before the retry before; used by decorrelated jitter alone.
    ///   - random: Where the jitter comes from.
    public func delay(
        beforeRetry retry: Int, previous: Duration = .zero, random: RandomSource = .system
    ) -> Duration {
        // To divide a duration costs more than all the rest, and only one kind needs it.
        let previous = jitter.kind == .decorrelated ? previous.clampedNanoseconds : 0
        return .nanoseconds(nanoseconds(beforeRetry: retry, previous: previous, random: random))
    }

    package func nanoseconds(beforeRetry retry: Int, previous: Int64, random: RandomSource) -> Int64 {
        switch jitter.kind {
        case .none: return ceiling(retry)
        case .full: return Int64(random.next(through: UInt64(ceiling(retry))))
        case .equal:
            let most = ceiling(retry), half = most - most / 2
            return half + Int64(random.next(through: UInt64(most - half)))
        case .decorrelated:
            let (tripled, overflow) = max(previous, base).multipliedReportingOverflow(by: 3)
            let most = overflow ? cap : min(cap, tripled)
            return base + Int64(random.next(through: UInt64(max(0, most - base))))
        }
    }

    /// The wait without jitter, in nanoseconds.
    ///
    /// Saturates at the cap, at any retry number.
    private func ceiling(_ retry: Int) -> Int64 {
        let retry = max(1, retry), growths = retry - 1
        switch growth {
        case .constant: return base
        case .linear:
            let (product, overflow) = base.multipliedReportingOverflow(by: Int64(retry))
            return overflow ? cap : min(cap, product)
        case .exponential(let factor):
            if base == 0 || factor == 1 { return base }
            if factor == 2 {
                return growths < base.leadingZeroBitCount - 1 ? min(cap, base << Int64(growths)) : cap
            }
            let wait = Double(base) * power(factor, growths)
            return wait < Double(cap) ? Int64(wait) : cap
        }
    }

    /// By squaring, so that a high number costs no more than a low one; too large a result is infinite.
    private func power(_ factor: Double, _ exponent: Int) -> Double {
        var result = 1.0, square = factor, left = exponent
        while left > 0 {
            if left & 1 == 1 { result *= square }
            square *= square
            left >>= 1
        }
        return result
    }
}
