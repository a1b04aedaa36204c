internal import Synchronization

/// Which replica of its target an attempt went to, for the report of its call.
///
/// It is said once; read while the attempt may still be running. One piece of memory, and no lock, since each attempt
/// of a call with a report has one.
package final class ReplicaNote: @unchecked Sendable {
    private enum Step { static let empty: UInt8 = 0, written: UInt8 = 1, known: UInt8 = 2 }
    private let step = Atomic(Step.empty)
    /// Nobody reads it before it is known, and nobody writes it afterwards.
    private var said: String?

    package init() {}

    /// The replica's name; nil: nobody said.
    package var name: String? { step.load(ordering: .acquiring) == Step.known ? said : nil }

    /// The first one counts.
    func set(_ name: String) {
        guard step.compareExchange(expected: Step.empty, desired: Step.written, ordering: .relaxed).exchanged else {
            return
        }
        said = name
        step.store(Step.known, ordering: .releasing)
    }
}
