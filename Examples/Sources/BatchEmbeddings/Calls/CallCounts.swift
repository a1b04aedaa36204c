import Spillway
import Synchronization

/// Counts what a policy's calls took, by the reports that it gives of each.
final class CallCounts: Observer {
    struct Counts: Sendable, Equatable {
        /// Attempts that reached the wire.
        var requests = 0
        /// Attempts beyond the first of a call.
        var retries = 0
        /// Attempts that were answered with 429.
        var rateLimited = 0
        /// Other attempts that failed.
        var failed = 0
    }

    private let state = Mutex(Counts())

    var counts: Counts { state.withLock { $0 } }

    func ended(_ report: CallReport) {
        state.withLock { counts in
            counts.requests += report.attempts.count
            counts.retries += max(0, report.attempts.count - 1)
            for attempt in report.attempts where attempt.outcome.verdict != .success {
                switch attempt.outcome.cause {
                case .rateLimited: counts.rateLimited += 1
                case .cancelled: break
                default: counts.failed += 1
                }
            }
        }
    }
}
