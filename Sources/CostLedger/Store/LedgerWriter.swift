internal import SpillwayCore
internal import Synchronization

/// Brings postings to the store in groups: what comes while one batch is being written makes the next.
///
/// No task waits for postings: the first one starts a task, which ends when all are stored.
final class LedgerWriter: Sendable {
    /// The most postings that wait in memory while the store fails.
    static let mostUnwritten = 1_000_000
    private static let shortestRetry = Duration.milliseconds(50)
    private static let longestRetry = Duration.seconds(5)

    private struct State {
        /// The number of the last batch that is stored.
        var stored: UInt64 = 0
        var waiters: [(batch: UInt64, continuation: CheckedContinuation<StoreError?, Never>)] = []
        var failure: StoreError?
        /// A batch that the store has failed to keep, and gets again.
        var unkept: (number: UInt64, batch: LedgerBatch)?
    }

    private let store: any LedgerStore
    private let time: any TimeSource
    let failsOpen: Bool
    private let isRunning = Atomic(false)
    private let isFailing = Atomic(false)
    private let isStopped = Atomic(false)
    private let state = Locked(State())

    init(_ store: any LedgerStore, failsOpen: Bool, time: any TimeSource) {
        self.store = store
        self.failsOpen = failsOpen
        self.time = time
    }

    /// Whether no call may begin, because what it costs could not be stored.
    var refuses: Bool { !failsOpen && isFailing.load(ordering: .relaxed) }

    /// Whether nobody is to wait for a store that fails.
    var goesOn: Bool { failsOpen && isFailing.load(ordering: .relaxed) }

    /// What the store last failed with; nil: it does not fail.
    var failure: StoreError? { state.withLock { $0.failure } }

    /// Writes no more, because another ledger will go on from what is stored.
    func stop() { isStopped.store(true, ordering: .sequentiallyConsistent) }

    /// There is something to write.
    func wake(_ books: LedgerState) {
        guard !isStopped.load(ordering: .relaxed), !isRunning.load(ordering: .sequentiallyConsistent),
            isRunning.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
        else { return }
        Task(executorPreference: TaskExecutorPreference.current) { await self.drain(books) }
    }

    /// Returns when all that was posted before is stored.
    func stored(_ books: LedgerState) async throws(StoreError) {
        let target = books.withBooks { $0.journal.isEmpty ? $0.journal.batch - 1 : $0.journal.batch }
        let failure = await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.stored >= target { return true }
                state.waiters.append((target, continuation))
                return false
            }
            if isDone { continuation.resume(returning: nil) } else { wake(books) }
        }
        if let failure { throw failure }
    }

    private func drain(_ books: LedgerState) async {
        var pause = Self.shortestRetry
        while !isStopped.load(ordering: .sequentiallyConsistent) {
            guard let (number, batch) = state.withLock({ $0.unkept }) ?? books.takeBatch() else {
                isRunning.store(false, ordering: .sequentiallyConsistent)
                // What was posted just before that found this task running.
                let isIdle = books.withBooks { $0.journal.isEmpty }
                guard !isIdle,
                    isRunning.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent)
                        .exchanged
                else { return }
                continue
            }
            do throws(StoreError) {
                try await store.append(batch)
                ended(number, nil, nil)
                pause = Self.shortestRetry
            } catch {
                ended(number, batch, error)
                if error.kind == .closed {
                    // It does not open again; whoever waits later is told the same.
                    isRunning.store(false, ordering: .sequentiallyConsistent)
                    // Who came to wait just before that found this task running.
                    let late = state.withLock { state in
                        defer { state.waiters = [] }
                        return state.waiters
                    }
                    for waiter in late { waiter.continuation.resume(returning: error) }
                    return
                }
                // A cancelled wait is a shorter one.
                try? await time.sleep(for: pause)
                pause = min(pause * 2, Self.longestRetry)
            }
        }
    }

    /// A batch was stored, or was not.
    private func ended(_ number: UInt64, _ batch: LedgerBatch?, _ failure: StoreError?) {
        isFailing.store(failure != nil, ordering: .relaxed)
        let waiters = state.withLock { state in
            state.failure = failure
            state.unkept = batch.map { (number, $0) }
            if failure == nil { state.stored = number }
            // After a failure all are told: those of later batches would wait as long.
            let told = state.waiters.filter { failure != nil || $0.batch <= number }
            state.waiters.removeAll { failure != nil || $0.batch <= number }
            return told
        }
        for waiter in waiters { waiter.continuation.resume(returning: failure) }
    }
}

extension LedgerState {
    /// Takes what is to be stored next, and its number; nil: nothing.
    func takeBatch() -> (number: UInt64, batch: LedgerBatch)? {
        let taken = withBooks { books -> (UInt64, ContiguousArray<Journal.Entry>, [Balance], UInt64)? in
            guard !books.journal.isEmpty else { return nil }
            let number = books.journal.batch
            let balances = books.takeDirty()
            return (number, books.journal.take(), balances, books.lastNumber)
        }
        guard let (number, entries, balances, lastNumber) = taken else { return nil }
        var counts: [UInt32: Int] = [:]
        for entry in entries {
            for index in 0..<entry.lines.count { counts[entry.lines.lines[index], default: 0] += 1 }
        }
        let scopes = withBooks { books in
            counts.reduce(into: [UInt32: Scope]()) { scopes, count in
                scopes[count.key] = books.lines[Int(count.key)].scope
                books.lines[Int(count.key)].unwritten -= count.value
            }
        }
        var lists: [LineSet: [Scope]] = [:]
        func list(_ lines: LineSet) -> [Scope] {
            if let list = lists[lines] { return list }
            let list = (0..<lines.count).map { scopes[lines.lines[$0]]! }
            lists[lines] = list
            return list
        }
        let postings = entries.lazy.filter { !$0.isDropped }.map { entry in
            Posting(
                number: entry.number, kind: entry.kind, operation: entry.operation, attempt: entry.attempt,
                scopes: list(entry.lines), began: entry.began, time: entry.time, held: Money(nanodollars: entry.held),
                cost: entry.kind == .saved ? .zero : Money(nanodollars: entry.cost),
                saved: entry.kind == .saved ? Money(nanodollars: entry.cost) : .zero, usage: entry.usage,
                source: entry.source, outcome: entry.outcome)
        }
        return (number, LedgerBatch(postings: Array(postings), balances: balances, lastNumber: lastNumber))
    }
}
