import Synchronization

/// How many calls of one route are under way.
final class CallCount: Sendable {
    private let count = Atomic(0)

    /// The calls that are under way now.
    var current: Int { count.load(ordering: .relaxed) }

    /// Counts a call until `body` has ended.
    func during<Value>(_ body: () async -> Value) async -> Value {
        count.add(1, ordering: .relaxed)
        defer { count.subtract(1, ordering: .relaxed) }
        return await body()
    }
}
