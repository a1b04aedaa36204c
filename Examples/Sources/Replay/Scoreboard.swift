import Foundation
import Synchronization

/// Counts what has happened so far, for the progress line.
final class Scoreboard: Sendable {
    private struct Counts {
        var sent = 0
        var good = 0
        var failing = 0
    }

    private let counts = Mutex(Counts())

    /// Notes that a request was sent.
    func sent() {
        counts.withLock { $0.sent += 1 }
    }

    /// Notes that a request has ended.
    func done(_ outcome: Outcome) {
        counts.withLock { counts in
            if outcome == .good { counts.good += 1 } else { counts.failing += 1 }
        }
    }

    /// The progress line, `elapsed` trace seconds into a run of `total` requests.
    func line(label: String, elapsed: Double, total: Int) -> String {
        let counts = counts.withLock { $0 }
        let done = counts.good + counts.failing
        return "\(label): \(Int(elapsed)) s  sent \(counts.sent)/\(total)  done \(done)  good \(counts.good)"
            + "  failing \(counts.failing)"
    }
}
