private import CSpillway
public import SpillwayCore

/// How long calls take of late, with calls that were cut short counted as what they are: longer than that.
///
/// Two spans of time are kept, the present one and the one before, in 90 kB. To record is one atomic step without a lock
/// or memory. Up to 37 minutes a time is kept to within 1/128 of itself, or 8 µs; longer ones count as 37 minutes.
/// A quantile is read by the product-limit estimator (Kaplan and Meier, *Nonparametric estimation from incomplete
/// observations*, JASA 1958): a call that was cancelled after 3 s because another attempt won counts among those that take
/// longer than 3 s, for as long as anything is known of it, and then no more. To leave such calls out, or to take their 3 s
/// for their end, would show a service faster than it is.
public final class LatencyHistogram: @unchecked Sendable {
    /// What a histogram keeps, and from when on it speaks.
    public struct Configuration: Sendable, Hashable {
        /// The length of a span, from 1 s to 1 day; 30 s by default.
        ///
        /// What is older than two spans is forgotten.
        public var span: Duration = .seconds(30)
        /// How many calls must have come to their own end before there is a quantile, from 1 to 1,000,000; 100 by default.
        public var minimum = 100

        /// The defaults.
        public init() {}

        /// A histogram over two spans of `span` that speaks from `minimum` calls on.
        public init(span: Duration, minimum: Int = 100) {
            self.span = span
            self.minimum = minimum
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("LatencyHistogram")
            try check.duration(span, "span", atLeast: .seconds(1))
            try check.require(span <= .seconds(86_400), "span", span, "at most 1 day")
            try check.count(minimum, "minimum", in: 1...1_000_000)
        }
    }

    private static let buckets = Int(SPW_HISTOGRAM_BUCKETS)

    /// What it was made with.
    public let configuration: Configuration
    private let span: Int64
    /// Four rows: calls that ended, of even epochs and of odd ones, and calls that were cut short, likewise.
    ///
    /// Touched only by the atomic steps in C.
    private let rows: UnsafeMutablePointer<UInt64>

    /// An empty histogram.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(_ configuration: Configuration = Configuration()) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        span = configuration.span.clampedNanoseconds
        rows = .allocate(capacity: 4 * Self.buckets)
        rows.initialize(repeating: 0, count: 4 * Self.buckets)
    }

    deinit { rows.deallocate() }

    /// Counts a call that came to its own end at `now`, after `duration`.
    public func record(_ duration: Duration, at now: Instant) {
        count(duration.clampedNanoseconds, cut: false, at: now)
    }

    /// Counts a call that had not come to its own end when it was cut short at `now`, after `duration`.
    public func recordCensored(_ duration: Duration, at now: Instant) {
        count(duration.clampedNanoseconds, cut: true, at: now)
    }

    /// The time within which the share `quantile` of calls ends, as of `now`; nil until there are enough calls.
    ///
    /// It is the end of a bucket, so too long by up to 1/128 (8 µs below 1 ms) and never too short. Where more calls were cut
    /// short than would leave `quantile` known, it is the longest time that is known of. Reads all buckets, some 10 µs.
    ///
    /// - Parameters:
    ///   - quantile: From 0 to 1, as 0.95; others count as the nearer of the two.
    ///   - now: The time.
    public func quantile(_ quantile: Double, at now: Instant) -> Duration? {
        read(at: now) { ProductLimit.quantile(quantile, of: $0) }
    }

    /// The delay that makes `quantile` shortest when at most `share` of the calls may be hedged; nil as above.
    func bestDelay(for quantile: Double, hedging share: Double, at now: Instant) -> Duration? {
        read(at: now) { BestDelay.bucket(for: quantile, hedging: share, $0) }
    }

    /// The share of calls that take longer than `duration`, as of `now`; nil until there are enough calls.
    ///
    /// Counted to the end of the bucket that `duration` is in, so too small by the calls in 1/128 of it (8 µs below 1 ms) at most.
    /// Beyond the longest time that is known of it is the share of those that were cut short. Reads all buckets, some 10 µs.
    public func share(longerThan duration: Duration, at now: Instant) -> Double? {
        let last = Int(spw_histogram_bucket(duration.clampedNanoseconds))
        return read(at: now) { table -> Double? in
            var share = 1.0
            ProductLimit.walk(table) { bucket, goesOn in
                guard bucket <= last else { return false }
                share = goesOn
                return true
            }
            return share
        }
    }

    /// The end of the bucket that `choose` takes of all that is known at `now`; nil until there are enough calls.
    private func read(
        at now: Instant, _ choose: (UnsafeMutableBufferPointer<ProductLimit.Bucket>) -> Int?
    ) -> Duration? {
        read(at: now) { choose($0).map { .nanoseconds(spw_histogram_end(UInt32($0))) } }
    }

    /// What `look` makes of all that is known at `now`; nil until there are enough calls.
    private func read<Value>(
        at now: Instant, _ look: (UnsafeMutableBufferPointer<ProductLimit.Bucket>) -> Value?
    ) -> Value? {
        let epoch = epoch(now)
        return withUnsafeTemporaryAllocation(of: ProductLimit.Bucket.self, capacity: Self.buckets) { table in
            table.initialize(repeating: ProductLimit.Bucket())
            var ended = 0
            for epoch in [epoch &- 1, epoch] {
                let ends = row(epoch, cut: false), cuts = row(epoch, cut: true)
                for bucket in 0..<Self.buckets {
                    table[bucket].ended += Int(spw_histogram_read(ends, epoch, UInt32(bucket)))
                    table[bucket].cut += Int(spw_histogram_read(cuts, epoch, UInt32(bucket)))
                }
            }
            for bucket in table { ended += bucket.ended }
            guard ended >= configuration.minimum else { return nil }
            return look(table)
        }
    }

    func count(_ nanoseconds: Int64, cut: Bool, at now: Instant) {
        let epoch = epoch(now)
        spw_histogram_count(row(epoch, cut: cut), epoch, spw_histogram_bucket(nanoseconds))
    }

    private func epoch(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: max(0, now.nanoseconds) / span)
    }

    private func row(_ epoch: UInt32, cut: Bool) -> UnsafeMutablePointer<UInt64> {
        rows + (Int(epoch & 1) + (cut ? 2 : 0)) * Self.buckets
    }
}
