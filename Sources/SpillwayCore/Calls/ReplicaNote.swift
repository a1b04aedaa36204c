/// Which replica of its target an attempt went to, for the report of its call.
package final class ReplicaNote: Sendable {
    private let state = Locked<String?>(nil)

    package init() {}

    /// The replica's name; nil: nobody said.
    package var name: String? { state.withLock { $0 } }

    func set(_ name: String) { state.withLock { $0 = name } }
}
