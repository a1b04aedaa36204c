#if SQLiteSupport
internal import GRDB
internal import SpillwayCore

/// How a file is laid out.
struct Schema {
    /// What is in it.
    let content: String
    /// Says what is in it: the file's `application_id`.
    let application: Int64
    /// The version that this code writes, kept as the file's `user_version`.
    let version: Int64
    /// What makes the tables.
    let tables: String
    /// What brings a file of the version before to this one; nil: there is none before.
    var migration: String?

    /// Makes the tables of a new file; refuses one that is something else, or newer.
    func prepare(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws {
        let version = try integer("PRAGMA user_version", connection) ?? 0
        let application = try integer("PRAGMA application_id", connection) ?? 0
        if application == self.application {
            guard version <= self.version else {
                throw StoreError(
                    .other,
                    "\(path): its layout is \(version), of a newer version of this library; this one knows \(self.version)"
                )
            }
            if case .write = access, version < self.version { try migrate(connection, path) }
            return
        }
        let isEmpty = try integer("SELECT count(*) FROM sqlite_schema", connection) == 0
        guard isEmpty, application == 0, version == 0 else {
            throw StoreError(.corrupt, "\(path): a database of something else, not of \(content)")
        }
        guard case .write = access else { throw StoreError(.corrupt, "\(path): there is no ledger in it yet") }
        let marks = "PRAGMA application_id = \(self.application); PRAGMA user_version = \(self.version);"
        do {
            try execute("BEGIN IMMEDIATE;" + tables + marks + "COMMIT;", connection)
        } catch {
            try? execute("ROLLBACK", connection)
            throw error
        }
    }

    /// Brings a file of the older version to this one, all or nothing; older versions of this library refuse it from then on.
    private func migrate(_ connection: OpaquePointer, _ path: String) throws {
        guard let migration else { return }
        do {
            try execute("BEGIN IMMEDIATE; \(migration) PRAGMA user_version = \(version); COMMIT;", connection)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            try? execute("ROLLBACK", connection)
            throw StoreError(.corrupt, "\(path): tables are missing: \(error.message ?? "")")
        } catch {
            try? execute("ROLLBACK", connection)
            throw error
        }
    }
}
#endif
