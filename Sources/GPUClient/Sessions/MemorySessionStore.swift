public import SpillwayCore

/// Keeps sessions in memory, for tests and for services that may lose them: nothing outlives the process.
///
/// It is bounded: when it is full, those that have expired go every now and then, and else the one that was written longest ago.
public final class MemorySessionStore: SessionStore {
    /// The most sessions that are kept.
    public let capacity: Int
    private let book: Locked<SessionBook>

    /// An empty store.
    ///
    /// - Parameter capacity: The most sessions that are kept, 1 to 10,000,000; 100,000 by default.
    /// - Throws: `ConfigurationError` for another capacity.
    public init(capacity: Int = 100_000) throws(ConfigurationError) {
        try Validation("MemorySessionStore").count(capacity, "capacity", in: 1...10_000_000)
        self.capacity = capacity
        book = Locked(SessionBook(capacity: capacity))
    }

    /// How many sessions are kept, with those that have expired and have not gone yet.
    public var count: Int { book.withLock { $0.entries.count } }

    /// How many places the order of writes takes, with those of sessions that have gone.
    var writes: Int { book.withLock { $0.order.count } }

    /// A session as it was written last; nil: there is none, or it has expired.
    public func get(_ id: String, at now: Int64) async throws(StoreError) -> StoredSession? {
        book.withLock { $0.get(id, at: now) }
    }

    /// Writes a session if nobody else has written it.
    ///
    /// - Throws: `StoreError` for a session that no store keeps.
    public func put(
        _ session: Session, replacing revision: Int64?, expires: Int64, at now: Int64
    ) async throws(StoreError) -> SessionWrite {
        try session.validate()
        return book.withLock { $0.put(session, revision, expires, at: now) }
    }

    /// Removes a session; whether it was there, in this revision.
    public func remove(_ id: String, revision: Int64?, at now: Int64) async throws(StoreError) -> Bool {
        book.withLock { $0.remove(id, revision, at: now) }
    }
}

/// What a ``SessionStore`` does, with the sessions in the order in which they were written.
private struct SessionBook {
    let capacity: Int
    private(set) var entries: [String: StoredSession] = [:]
    private var revision: Int64 = 0
    /// Who was written when, oldest first; an entry whose revision is another by now is old.
    private(set) var order: [(id: String, revision: Int64)] = []
    /// Those before it have been gone through, to make room.
    private var oldest = 0
    /// The revision at which those that had expired went.
    private var lookedAt: Int64 = 0

    init(capacity: Int) { self.capacity = capacity }

    func get(_ id: String, at now: Int64) -> StoredSession? {
        entries[id].flatMap { $0.expires > now ? $0 : nil }
    }

    mutating func put(_ session: Session, _ replaced: Int64?, _ expires: Int64, at now: Int64) -> SessionWrite {
        let present = get(session.id, at: now)
        guard present?.revision == replaced else { return .conflict(present) }
        if entries[session.id] == nil, entries.count >= capacity { makeRoom(at: now) }
        revision += 1
        entries[session.id] = StoredSession(session, revision: revision, expires: expires)
        order.append((session.id, revision))
        // With what makeRoom went past: all that is looked through is less than twice the writes and removals since the last time.
        if order.count > 2 * entries.count + 16 { tidy() }
        return .written(revision: revision)
    }

    mutating func remove(_ id: String, _ revision: Int64?, at now: Int64) -> Bool {
        guard let present = get(id, at: now), revision == nil || revision == present.revision else { return false }
        entries[id] = nil
        return true
    }

    /// All that have expired go, else the oldest does; all are looked through once in an eighth of them at most.
    private mutating func makeRoom(at now: Int64) {
        if revision - lookedAt > Int64(capacity / 8) {
            lookedAt = revision
            entries = entries.filter { $0.value.expires > now }
        }
        while entries.count >= capacity, oldest < order.count {
            let (id, revision) = order[oldest]
            oldest += 1
            if entries[id]?.revision == revision { entries[id] = nil }
        }
    }

    private mutating func tidy() {
        order = order[oldest...].filter { entries[$0.id]?.revision == $0.revision }
        oldest = 0
    }
}
