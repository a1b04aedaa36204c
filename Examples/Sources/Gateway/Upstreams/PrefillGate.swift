import Spillway
import SpillwayHTTPClient

/// A gate that keeps the rest of a begun answer from whoever would begin another one.
final class PrefillGate: Gate {
    /// What has been passed on of the task's call; nil when it is no stream.
    @TaskLocal static var journal: StreamJournal?

    let name: String
    private let label: GateName
    /// Whether a stream that is begun anew elsewhere may come here.
    private let restarts: Bool

    /// A gate of one upstream; `restarts`: whether it may be asked for a stream that is not gone on with but begun anew.
    init(_ name: String, restarts: Bool = false) {
        self.name = name
        self.restarts = restarts
        label = GateName(registering: name)
    }

    /// Lets the call pass as long as nothing of its answer has reached the client.
    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        if let journal = Self.journal, journal.isCommitted, !(restarts && journal.recovery == .restart) {
            throw Rejection(by: label, reason: .noTarget)
        }
        return Permit(at: now) { _, _ in }
    }
}
