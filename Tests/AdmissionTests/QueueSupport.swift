import Admission
import SpillwayCore
import SpillwayTesting

/// A gate with so many places, which sees whether one stays empty while somebody waits.
final class Places: Gate {
    struct Contents {
        var free: Int
        var most = 0
        var asked = 0
        var looked: Instant?
        /// How long places were empty while calls waited.
        var idle = Duration.zero
    }

    let name = "places"
    private let label = GateName(registering: "places")
    private let total: Int
    private let contents: Locked<Contents>
    private let queue: FairQueue

    init(_ total: Int, _ queue: FairQueue) {
        self.total = total
        self.queue = queue
        contents = Locked(Contents(free: total))
    }

    deinit { label.release() }

    var seen: Contents { contents.withLock { $0 } }

    /// Looks at what has been since the last time: nothing changes in between.
    func look(at now: Instant) {
        let waits = !queue.standing(at: now).waiting.isEmpty
        contents.withLock { contents in
            if waits, contents.free > 0, let looked = contents.looked { contents.idle += looked.duration(to: now) }
            contents.looked = now
        }
    }

    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        look(at: now)
        let admitted = contents.withLock { contents in
            contents.asked += 1
            guard contents.free > 0 else { return false }
            contents.free -= 1
            contents.most = max(contents.most, total - contents.free)
            return true
        }
        guard admitted else { throw Rejection(by: label, reason: .concurrencyLimited) }
        return Permit(at: now) { _, now in
            self.look(at: now)
            self.contents.withLock { $0.free += 1 }
        }
    }
}

/// What came of one call.
enum Ended: Hashable, Sendable {
    case answered
    case refused(Reason)
    case cancelled
    case failed
}

extension FairQueue {
    /// Makes a call that takes as long as it takes.
    func outcome(
        _ call: Call, through gate: any Gate, until deadline: Instant? = nil, _ time: ManualTime,
        takes duration: Duration, began: @Sendable (Instant) -> Void = { _ in }
    ) async -> Ended {
        do {
            try await run(call, through: gate, until: deadline, time: time) {
                began(time.now)
                try await time.sleep(for: duration)
            }
            return .answered
        } catch let rejection as Rejection {
            return .refused(rejection.reason)
        } catch is CancellationError {
            return .cancelled
        } catch {
            return .failed
        }
    }
}
