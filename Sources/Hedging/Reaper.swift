internal import Synchronization

/// Counts the attempts that calls did not wait for.
final class Reaper: Sendable {
    private let running = Atomic<Int>(0)

    // An attempt may end before it is counted.
    var count: Int { max(0, running.load(ordering: .relaxed)) }

    func take(_ attempts: Int) { running.wrappingAdd(attempts, ordering: .relaxed) }
    func ended() { running.wrappingSubtract(1, ordering: .relaxed) }
}
