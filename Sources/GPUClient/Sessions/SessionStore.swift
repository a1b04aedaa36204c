public import SpillwayCore

/// Where sessions are kept, outside of the replicas, so that they outlive both replica and process.
///
/// Each call is one transaction. Several processes may use one store: whoever writes says which revision it has read, and is
/// refused if another has written since. Revisions of a store only grow, also over sessions that are gone. Times are
/// nanoseconds since 1970.
public protocol SessionStore: Sendable {
    /// A session as it was written last; nil: there is none, or it has expired.
    ///
    /// - Throws: `StoreError`.
    func get(_ id: String, at now: Int64) async throws(StoreError) -> StoredSession?

    /// Writes a session if nobody else has written it.
    ///
    /// - Parameters:
    ///   - session: What to write.
    ///   - revision: The revision that was read; nil: it must be new.
    ///   - expires: From when it counts as gone.
    ///   - now: The time.
    /// - Throws: `StoreError`.
    func put(
        _ session: Session, replacing revision: Int64?, expires: Int64, at now: Int64
    ) async throws(StoreError) -> SessionWrite

    /// Removes a session.
    ///
    /// - Parameters:
    ///   - id: Which one.
    ///   - revision: The revision that was read; nil: whichever it has.
    ///   - now: The time.
    /// - Returns: Whether it was there, in this revision, and is gone.
    /// - Throws: `StoreError`.
    func remove(_ id: String, revision: Int64?, at now: Int64) async throws(StoreError) -> Bool
}

/// A session with what its store adds.
public struct StoredSession: Sendable, Hashable {
    /// The session.
    public var session: Session
    /// Counts what was written to the store.
    public var revision: Int64
    /// From when it counts as gone: nanoseconds since 1970.
    public var expires: Int64

    /// A session with what its store adds.
    public init(_ session: Session, revision: Int64, expires: Int64) {
        self.session = session
        self.revision = revision
        self.expires = expires
    }
}

/// What came of writing a session.
public enum SessionWrite: Sendable, Hashable {
    /// It is written, in this revision.
    case written(revision: Int64)
    /// Another has written it since, as it is now; nil: it is gone.
    case conflict(StoredSession?)
}
