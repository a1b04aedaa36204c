import Spillway
import SpillwayHTTPClient

/// A gate that keeps the rest of a begun answer from an upstream that would begin another one.
final class PrefillGate: Gate {
    /// What has been passed on of the task's call; nil when it is no stream.
    @TaskLocal static var journal: StreamJournal?

    let name: String
    private let label: GateName

    /// A gate of one upstream.
    init(_ name: String) {
        self.name = name
        label = GateName(registering: name)
    }

    /// Lets the call pass as long as nothing of its answer has reached the client.
    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        if let journal = Self.journal, journal.isCommitted { throw Rejection(by: label, reason: .noTarget) }
        return Permit(at: now) { _, _ in }
    }
}
