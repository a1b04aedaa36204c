#if SQLiteSupport
internal import GPUClient
internal import GRDB
internal import SpillwayCore

/// The tables of a file of sessions.
final class SessionTables: FileTables {
    static let label = "sessions"
    static let isExclusive = false
    /// How many that have expired go with one that is written.
    private static let page = 16
    private static let columns =
        "id, revision, expires, replica, model, major, minor, patch, zone, started, last_used, turns, prefix_head"

    let connection: OpaquePointer
    private let path: String
    private let byID: Statement
    private let insert: Statement
    private let delete: Statement
    private let expire: Statement
    private let count: Statement
    private let lastRevision: Statement

    init(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws {
        self.connection = connection
        self.path = path
        try prepare(connection, path, access)
        try Schema.sessions.prepare(connection, path, access)
        func statement(_ sql: String) throws -> Statement { try Statement(connection, sql) }
        do {
            byID = try statement("SELECT \(Self.columns) FROM sessions WHERE id = ? AND expires > ?")
            insert = try statement(
                "INSERT OR REPLACE INTO sessions (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            delete = try statement("DELETE FROM sessions WHERE id = ?")
            expire = try statement(
                """
                DELETE FROM sessions WHERE id IN
                (SELECT id FROM sessions WHERE expires <= ? ORDER BY expires LIMIT \(Self.page))
                """)
            count = try statement("UPDATE last_revision SET revision = revision + 1")
            lastRevision = try statement("SELECT revision FROM last_revision")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw StoreError(.corrupt, "\(path): tables are missing: \(error.message ?? "")")
        }
    }

    func get(_ id: String, at now: Int64) throws -> StoredSession? {
        byID.bind(1, id)
        byID.bind(2, now)
        var found: StoredSession?
        try byID.rows { found = try session($0) }
        return found
    }

    func put(_ session: Session, _ replaced: Int64?, _ expires: Int64, at now: Int64) throws -> SessionWrite {
        try inTransaction(connection, path) {
            let present = try get(session.id, at: now)
            guard present?.revision == replaced else { return .conflict(present) }
            expire.bind(1, now)
            try expire.run()
            try count.run()
            guard let revision = try lastRevision.integer() else {
                throw StoreError(.corrupt, "\(path): the last revision is missing")
            }
            bind(StoredSession(session, revision: revision, expires: expires), to: insert)
            try insert.run()
            return .written(revision: revision)
        }
    }

    func remove(_ id: String, _ revision: Int64?, at now: Int64) throws -> Bool {
        try inTransaction(connection, path) {
            guard let present = try get(id, at: now), revision == nil || revision == present.revision else {
                return false
            }
            delete.bind(1, id)
            try delete.run()
            return true
        }
    }

    private func bind(_ stored: StoredSession, to statement: Statement) {
        let session = stored.session
        statement.bind(1, session.id)
        statement.bind(2, stored.revision)
        statement.bind(3, stored.expires)
        statement.bind(4, session.replica)
        statement.bind(5, session.model)
        statement.bind(6, session.version.map { Int64($0.major) })
        statement.bind(7, session.version.map { Int64($0.minor) })
        statement.bind(8, session.version.map { Int64($0.patch) })
        statement.bind(9, session.zone)
        statement.bind(10, session.started)
        statement.bind(11, session.lastUsed)
        statement.bind(12, Int64(session.turns))
        statement.bind(13, Int64(bitPattern: session.prefixHead))
    }

    /// The session of a row.
    private func session(_ row: Statement) throws -> StoredSession {
        guard let id = row.text(0), let replica = row.text(3), let model = row.text(4),
            let turns = Int(exactly: row[11])
        else { throw StoreError(.corrupt, "\(path): session '\(row.text(0) ?? "")' makes no sense") }
        let version = row.optional(5).map { ModelVersion(Int($0), Int(row[6]), Int(row[7])) }
        var session = Session(
            id: id, replica: replica, model: model, version: version, zone: row.text(8), started: row[9],
            prefixHead: UInt64(bitPattern: row[12]))
        session.lastUsed = row[10]
        session.turns = turns
        return StoredSession(session, revision: row[1], expires: row[2])
    }
}
#endif
