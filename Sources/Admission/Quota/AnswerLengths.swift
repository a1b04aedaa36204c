internal import CSpillway
internal import SpillwayCore

/// The lengths of answers of one route: a histogram in two spans of time for those that ended, and one for those that were cut.
final class AnswerLengths: Sendable {
    private struct Cache {
        var at = Instant(nanoseconds: .min)
        var value: Int?
    }

    private static let buckets = Int(SPW_HISTOGRAM_BUCKETS)
    /// Rows of ended and cut answers, each for even and for odd epochs; only touched by atomic steps in C.
    private nonisolated(unsafe) let words = UnsafeMutablePointer<UInt64>.allocate(capacity: 4 * buckets)
    private let cache = Locked(Cache())

    init() { words.initialize(repeating: 0, count: 4 * Self.buckets) }

    deinit { words.deallocate() }

    /// Which span of time it is; from 1, because words that were never written say 0.
    private static func epoch(_ span: Duration, at now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: max(0, now.nanoseconds) / span.clampedNanoseconds) &+ 1
    }

    private func row(_ epoch: UInt32, cut: Bool) -> UnsafeMutablePointer<UInt64> {
        words + (cut ? 2 : 0) * Self.buckets + Int(epoch & 1) * Self.buckets
    }

    func add(_ output: Int, isCut: Bool, _ span: Duration, at now: Instant) {
        // The histogram counts in units of 2¹³ ns: a token each.
        let bucket = spw_histogram_bucket(Int64(min(max(0, output), 1 << 30)) << SPW_HISTOGRAM_UNIT)
        let epoch = Self.epoch(span, at: now)
        spw_histogram_count(row(epoch, cut: isCut), epoch, bucket)
    }

    /// So many tokens are enough for the part of answers that is asked for; nil: not known.
    func quantile(_ configuration: OutputEstimate.Configuration, at now: Instant) -> Int? {
        cache.withLock { cache in
            // A second later, or when time has gone back.
            let age = cache.at.duration(to: now)
            if age >= .zero, age < .seconds(1) { return cache.value }
            cache = Cache(at: now, value: compute(configuration, at: now))
            return cache.value
        }
    }

    private func compute(_ configuration: OutputEstimate.Configuration, at now: Instant) -> Int? {
        let epoch = Self.epoch(configuration.span, at: now)
        func count(_ bucket: Int, cut: Bool) -> Int {
            Int(spw_histogram_read(row(epoch, cut: cut), epoch, UInt32(bucket)))
                + Int(spw_histogram_read(row(epoch &- 1, cut: cut), epoch &- 1, UInt32(bucket)))
        }
        var all = 0
        for bucket in 0..<Self.buckets { all += count(bucket, cut: false) + count(bucket, cut: true) }
        guard all >= configuration.enough else { return nil }
        var longer = 1.0, left = all
        for bucket in 0..<Self.buckets {
            let ended = count(bucket, cut: false), cut = count(bucket, cut: true)
            if ended > 0 { longer *= 1 - Double(ended) / Double(left) }
            if longer <= 1 - configuration.quantile + 1e-12 {
                return Int(spw_histogram_end(UInt32(bucket)) >> SPW_HISTOGRAM_UNIT) - 1
            }
            left -= ended + cut
        }
        // Too many were cut: only the longest is surely enough.
        return nil
    }
}
