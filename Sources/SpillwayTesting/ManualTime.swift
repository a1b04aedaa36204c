public import SpillwayCore

/// Time that stands still until a test moves it.
///
/// Tasks that sleep on it wake, in the order of their deadlines, when ``advance(by:)`` passes them.
public final class ManualTime: TimeSource {
    private struct Sleeper {
        let number: UInt64
        let until: Instant
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Contents {
        var now: Instant
        var sleepers: [Sleeper] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var cancelled: Set<UInt64> = []
        var lastNumber: UInt64 = 0
    }

    private let contents: Locked<Contents>

    /// Time that stands at `start`; at one second after its origin by default.
    public init(_ start: Instant = Instant(nanoseconds: 1_000_000_000)) {
        contents = Locked(Contents(now: start))
    }

    /// The present.
    public var now: Instant { contents.withLock { $0.now } }

    /// How many tasks sleep.
    public var sleepers: Int { contents.withLock { $0.sleepers.count } }

    /// When the first sleeper wakes; nil when nobody sleeps.
    public var nextWake: Instant? { contents.withLock { $0.sleepers.map(\.until).min() } }

    /// Moves time on by `duration` and wakes whoever waited for that.
    public func advance(by duration: Duration) {
        let ready = contents.withLock { contents in
            contents.now = contents.now.advanced(by: duration)
            let now = contents.now
            let ready = contents.sleepers.filter { $0.until <= now }
            contents.sleepers.removeAll { $0.until <= now }
            return ready
        }
        for sleeper in ready.sorted(by: { ($0.until, $0.number) < ($1.until, $1.number) }) {
            sleeper.continuation.resume(returning: true)
        }
    }

    /// Returns as soon as at least `count` tasks sleep.
    public func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let there = contents.withLock { contents in
                if contents.sleepers.count >= count { return true }
                contents.watchers.append((count, continuation))
                return false
            }
            if there { continuation.resume() }
        }
    }

    /// Sleeps until a test moves time to `instant`.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until instant: Instant) async throws(CancellationError) {
        let number = contents.withLock { contents in
            contents.lastNumber += 1
            return contents.lastNumber
        }
        if instant <= now {
            // Others may go on first: a loop of such waits is no reason for all to stand still.
            await Task.yield()
        }
        defer { contents.withLock { _ = $0.cancelled.remove(number) } }
        let woken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                add(Sleeper(number: number, until: instant, continuation: continuation))
            }
        } onCancel: {
            cancel(number)
        }
        if !woken { throw CancellationError() }
    }

    private func add(_ sleeper: Sleeper) {
        let (answer, watchers) = contents.withLock { contents -> (Bool?, [CheckedContinuation<Void, Never>]) in
            if contents.cancelled.remove(sleeper.number) != nil { return (false, []) }
            if sleeper.until <= contents.now { return (true, []) }
            contents.sleepers.append(sleeper)
            let count = contents.sleepers.count
            let ready = contents.watchers.filter { $0.count <= count }
            contents.watchers.removeAll { $0.count <= count }
            return (nil, ready.map(\.continuation))
        }
        if let answer { sleeper.continuation.resume(returning: answer) }
        for watcher in watchers { watcher.resume() }
    }

    private func cancel(_ number: UInt64) {
        let sleeper = contents.withLock { contents -> Sleeper? in
            guard let index = contents.sleepers.firstIndex(where: { $0.number == number }) else {
                contents.cancelled.insert(number)
                return nil
            }
            return contents.sleepers.remove(at: index)
        }
        sleeper?.continuation.resume(returning: false)
    }
}
