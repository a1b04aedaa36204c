import Spillway
import Synchronization

/// A delay that follows the times of attempts that won, and knows nothing of those that were cancelled.
///
/// For comparison, because many libraries do this. The slow attempts that a hedge cuts short are missing, so the service
/// looks faster than it is, the delay becomes shorter, more attempts are cut short, and so on.
final class WinnerTimes: Sendable {
    private struct Known {
        var delay: Duration?
        var until = Instant.zero
    }

    private let time: any TimeSource
    private let quantile: Double
    private let histogram: LatencyHistogram
    private let known = Mutex(Known())

    init(_ quantile: Double, _ time: any TimeSource) throws {
        self.time = time
        self.quantile = quantile
        histogram = try LatencyHistogram()
    }

    /// The quantile, read four times a second as the production code does; nil until enough is known.
    func delay() -> Duration? {
        let now = time.now
        return known.withLock { known in
            if now >= known.until {
                known = Known(
                    delay: histogram.quantile(quantile, at: now), until: now.advanced(by: .milliseconds(250)))
            }
            return known.delay
        }
    }

    /// Counts an attempt that won, with the time that it took.
    func record(_ seconds: Double) { histogram.record(.seconds(seconds), at: time.now) }
}
