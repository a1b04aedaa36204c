#if SQLiteSupport
internal import CostLedger
internal import GRDB
internal import GRDBSQLite
internal import SpillwayCore

/// The tables of a ledger's file.
final class LedgerTables: FileTables {
    static let label = "ledger"
    static let isExclusive = true

    let connection: OpaquePointer
    let path: String
    private let scopes: ScopeTable
    /// Nil for one who reads, whose file may have an older layout.
    private let insert: Statement?
    private let open: Statement
    private let shut: Statement
    private let balance: Statement
    private let count: Statement
    /// The numbers of holds that are open; nil: not known, to be looked up.
    private var openNumbers: Set<Int64>?

    init(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws {
        self.connection = connection
        self.path = path
        try prepare(connection, path, access)
        // Pages that changed often are written to the file once.
        try execute("PRAGMA wal_autocheckpoint = 8000", connection)
        try Schema.ledger.prepare(connection, path, access)
        do {
            scopes = try ScopeTable(connection, path)
            if case .write = access {
                insert = try Statement(connection, PostingColumns.insert)
            } else {
                insert = nil
            }
            open = try Statement(
                connection,
                "INSERT INTO open_holds VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET posting = excluded.posting")
            shut = try Statement(connection, "DELETE FROM open_holds WHERE number = ?")
            balance = try Statement(
                connection,
                """
                INSERT INTO balances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, window, start) DO UPDATE SET
                held = excluded.held, spent = excluded.spent, overage = excluded.overage, suspense = excluded.suspense
                """)
            count = try Statement(connection, "UPDATE last_number SET number = ? WHERE number < ?1")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw StoreError(.corrupt, "\(path): tables are missing: \(error.message ?? "")")
        }
    }

    // MARK: - Writing

    func append(_ batch: LedgerBatch) throws {
        do {
            try inTransaction(connection, path) { try write(batch) }
            scopes.batchEnded()
        } catch {
            scopes.forget()
            openNumbers = nil
            throw error
        }
    }

    private func write(_ batch: LedgerBatch) throws {
        guard let insert else { throw StoreError(.readOnly, "\(path): it was opened for reading") }
        var known = try openNumbers ?? Set(allOpen())
        var last = batch.lastNumber
        for posting in batch.postings {
            let id = try PostingColumns.id(posting)
            PostingColumns.bind(posting, id, scopes: try scopes.number(of: posting.scopes), to: insert)
            try insert.run()
            last = max(last, posting.number, posting.operation)
            // One that was there already has had its effect, and maybe others since.
            guard sqlite3_changes(connection) > 0 else { continue }
            let number = id >> 2
            switch posting.kind {
            case .held, .suspended:
                open.bind(1, number)
                open.bind(2, id)
                try open.run()
                known.insert(number)
            case .settled, .voided, .saved:
                guard known.remove(number) != nil else { continue }
                shut.bind(1, number)
                try shut.run()
            }
        }
        openNumbers = known
        for one in batch.balances {
            balance.bind(1, try scopes.number(of: one.scope))
            balance.bind(2, WindowLabel.label(of: one.window))
            balance.bind(3, one.start)
            balance.bind(4, one.end)
            balance.bind(5, WindowLabel.countsUntil(one))
            balance.bind(6, one.held.nanodollars)
            balance.bind(7, one.spent.nanodollars)
            balance.bind(8, one.overage.nanodollars)
            balance.bind(9, one.suspense.nanodollars)
            try balance.run()
        }
        if last > 0 {
            count.bind(1, Int64(clamping: last))
            try count.run()
        }
    }

    private func allOpen() throws -> [Int64] {
        var numbers: [Int64] = []
        try Statement(connection, "SELECT number FROM open_holds").rows { numbers.append($0[0]) }
        return numbers
    }

    // MARK: - Reading

    func load(at now: Int64) throws -> LedgerImage {
        try inSnapshot(connection) {
            var image = LedgerImage()
            image.lastNumber = UInt64(clamping: try integer("SELECT number FROM last_number", connection) ?? 0)
            image.balances =
                try balances("counts_until > \(now)")
                + balances("counts_until <= \(now) AND (held <> 0 OR suspense <> 0)")
            let rows = try Statement(
                connection,
                "SELECT \(try columns()) FROM open_holds JOIN postings ON id = posting ORDER BY number")
            try rows.rows { image.open.append(try posting($0)) }
            return image
        }
    }

    /// Postings whose time is from `from` to before `to`, in order of it, up to `count` after that with `id` at `from`.
    func postings(from: Int64, after id: Int64, to: Int64, of scope: Scope?, count: Int) throws -> [Posting] {
        try inSnapshot(connection) {
            var filter = ""
            if let scope {
                guard let number = try scopes.existing(scope) else { return [] }
                filter = "AND scopes IN (SELECT list FROM scope_list_members WHERE scope = \(number))"
            }
            let rows = try Statement(
                connection,
                """
                SELECT \(try columns()) FROM postings INDEXED BY postings_by_time
                WHERE time >= \(from) AND time < \(to) AND (time > \(from) OR id > \(id)) \(filter)
                ORDER BY time, id LIMIT \(count)
                """)
            var page: [Posting] = []
            try rows.rows { page.append(try posting($0)) }
            return page
        }
    }

    /// Looked up each time: a ledger may have brought the file to a newer version meanwhile.
    private func columns() throws -> String {
        PostingColumns.list(try integer("PRAGMA user_version", connection))
    }

    private func posting(_ row: Statement) throws -> Posting {
        try PostingColumns.posting(row, scopes: try scopes.scopes(of: row[3]), path)
    }

    func balances(_ condition: String) throws -> [Balance] {
        var balances: [Balance] = []
        let rows = try Statement(
            connection,
            """
            SELECT kind, name, window, start, end, held, spent, overage, suspense
            FROM balances JOIN scopes ON id = scope WHERE \(condition)
            """)
        try rows.rows { row in
            guard let window = row.text(2).flatMap(WindowLabel.window) else {
                throw StoreError(.corrupt, "\(path): a balance of an unknown window")
            }
            balances.append(
                Balance(
                    scope: try ScopeTable.scope(row, 0, path), window: window, start: row[3], end: row[4],
                    held: Money(nanodollars: row[5]), spent: Money(nanodollars: row[6]),
                    overage: Money(nanodollars: row[7]), suspense: Money(nanodollars: row[8])))
        }
        return balances
    }
}
#endif
