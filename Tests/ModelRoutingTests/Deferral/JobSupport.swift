import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// 1 March 2026, wallNoon, in nanoseconds since 1970.
let wallNoon: Int64 = 1_772_366_400_000_000_000

extension JobQueue.Configuration {
    /// What a test says, and else the defaults.
    static func test(_ change: (inout Self) -> Void) -> Self {
        var configuration = Self()
        change(&configuration)
        return configuration
    }
}

extension Simulation {
    /// A queue on the simulation's time.
    func queue(_ name: String, _ store: any JobStore) throws -> JobQueue { try queue(name, .init(), store) }

    func queue(_ name: String, _ configuration: JobQueue.Configuration, _ store: any JobStore) throws -> JobQueue {
        try JobQueue(name, configuration, store: store, time: time, epoch: wallNoon, random: random)
    }

    /// Seconds since the simulation began.
    var seconds: Double { Double(time.now.nanoseconds - 1_000_000_000) / 1e9 }
}

extension JobQueue {
    /// A job when it has ended.
    func ended(_ id: JobID) async throws -> Job {
        var last: Job?
        for try await job in changes(of: id) { last = job }
        return try #require(last)
    }
}

/// A run that fails so.
struct RunFailure: OutcomeError {
    let outcome: Outcome
    init(_ outcome: Outcome) { self.outcome = outcome }
}

/// A place that several tasks write to.
final class Noted<Value: Sendable>: Sendable {
    private let state: Locked<Value>
    init(_ value: Value) { state = Locked(value) }
    var value: Value { state.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}

/// A store as one process sees it: it may be out of reach, and it is known what happened in it.
final class SeenStore: JobStore {
    /// What all processes did together.
    struct Effects {
        var finished: [JobID: [[UInt8]]] = [:]
        var takes = 0
    }

    let isShared = true
    private let store: MemoryJobStore
    let effects: Noted<Effects>
    /// What every call fails with; nil: none does.
    let failure = Noted<StoreError?>(nil)
    let calls = Noted(0)

    init(_ store: MemoryJobStore = MemoryJobStore(isShared: true), _ effects: Noted<Effects> = Noted(Effects())) {
        self.store = store
        self.effects = effects
    }

    /// The same store, as another process sees it.
    func other() -> SeenStore { SeenStore(store, effects) }

    private func reach() async throws(StoreError) {
        calls.change { $0 += 1 }
        // Others may be first.
        await Task.yield()
        if let failure = failure.value { throw failure }
    }

    func insert(
        _ record: JobRecord, payload: [UInt8], bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobInsertion {
        try await reach()
        return try await store.insert(record, payload: payload, bounds: bounds, at: now)
    }

    func take(
        from queue: String, lease: Int64, bounds: JobBounds, at now: Int64
    ) async throws(StoreError) -> JobHandout {
        try await reach()
        let handout = try await store.take(from: queue, lease: lease, bounds: bounds, at: now)
        if handout.job != nil { effects.change { $0.takes += 1 } }
        return handout
    }

    func change(_ id: JobID, _ change: JobChange, at now: Int64) async throws(StoreError) -> JobChanged? {
        try await reach()
        let changed = try await store.change(id, change, at: now)
        if changed?.isApplied == true, case .finish(_, let result) = change {
            effects.change { $0.finished[id, default: []].append(result) }
        }
        return changed
    }

    func find(_ id: JobID) async throws(StoreError) -> StoredJob? {
        try await reach()
        return try await store.find(id)
    }

    func tidy(_ queue: String, bounds: JobBounds, at now: Int64) async throws(StoreError) -> JobCounts {
        try await reach()
        return try await store.tidy(queue, bounds: bounds, at: now)
    }
}
