#if SQLiteSupport
internal import GRDB
internal import GRDBSQLite
internal import ModelRouting
internal import SpillwayCore

/// The tables of a file of jobs.
final class JobTables: FileTables {
    static let label = "jobs"
    static let isExclusive = false
    /// How many rows are moved at most before others have their turn.
    private static let page = 1_000
    /// How many jobs are counted before another one.
    private static let mostAhead = 1_000
    /// How much of the time that it was told a queue may forget: nanoseconds.
    private static let forgotten: Int64 = 10_000_000_000
    /// A clock that is further back than that was set: nanoseconds.
    private static let setBack: Int64 = 60_000_000_000

    let connection: OpaquePointer
    private let path: String
    private let insert: Statement
    private let update: Statement
    private let byID: Statement
    private let byKey: Statement
    private let ready: Statement
    private let dueOpen: Statement
    private let dueEnded: Statement
    private let nextDue: Statement
    private let shorten: Statement
    private let before: Statement
    private let lastTurn: Statement
    private let setTurn: Statement
    private let queue: Statement
    private let count: Statement
    private let told: Statement
    private let putPayload: Statement
    private let putResult: Statement
    private let payload: Statement
    private let result: Statement

    init(_ connection: OpaquePointer, _ path: String, _ access: FileAccess) throws {
        self.connection = connection
        self.path = path
        try prepare(connection, path, access)
        try Schema.jobs.prepare(connection, path, access)
        func statement(_ sql: String) throws -> Statement { try Statement(connection, sql) }
        func select(_ rest: String) throws -> Statement {
            try statement("SELECT \(JobRow.list) FROM jobs WHERE \(rest)")
        }
        do {
            insert = try statement(JobRow.insert)
            update = try statement(JobRow.update)
            byID = try select("id = ?")
            byKey = try select("queue = ? AND tenant = ? AND key = ?")
            ready = try select("queue = ? AND phase = 0 ORDER BY rank, turn, number LIMIT 1")
            dueOpen = try select("queue = ? AND is_ended = 0 AND due <= ? ORDER BY due LIMIT \(Self.page)")
            dueEnded = try select("queue = ? AND is_ended = 1 ORDER BY due, number LIMIT ?")
            nextDue = try statement("SELECT min(due) FROM jobs WHERE queue = ? AND is_ended = ?")
            shorten = try statement(
                "UPDATE jobs SET due = due - ? WHERE queue = ? AND is_ended = 0 AND phase IN (1, 2)")
            before = try statement(
                """
                SELECT count(*) FROM (SELECT 1 FROM jobs WHERE queue = ? AND phase = 0 AND (rank, turn, number) < (?, ?, ?)
                LIMIT \(Self.mostAhead))
                """)
            lastTurn = try statement(
                """
                SELECT max(ifnull((SELECT turn FROM turns WHERE queue = ?1 AND rank = ?2), 0), ifnull(
                (SELECT max(turn) FROM jobs WHERE phase = 0 AND queue = ?1 AND rank = ?2 AND tenant = ?3), 0))
                """)
            setTurn = try statement(
                "INSERT INTO turns VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET turn = max(turn, excluded.turn)")
            queue = try statement("SELECT latest, waiting, running, ended FROM queues WHERE name = ?")
            count = try statement(
                "UPDATE queues SET waiting = waiting + ?, running = running + ?, ended = ended + ? WHERE name = ?")
            told = try statement(
                "INSERT INTO queues VALUES (?, ?, 0, 0, 0) ON CONFLICT DO UPDATE SET latest = excluded.latest")
            putPayload = try statement("INSERT INTO payloads VALUES (?, ?)")
            putResult = try statement("INSERT INTO results VALUES (?, ?)")
            payload = try statement("SELECT bytes FROM payloads WHERE number = ?")
            result = try statement("SELECT bytes FROM results WHERE number = ?")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw StoreError(.corrupt, "\(path): tables are missing: \(error.message ?? "")")
        }
    }

    // MARK: - What a store does

    func insert(_ record: JobRecord, _ bytes: [UInt8], _ bounds: JobBounds, at now: Int64) throws -> JobInsertion {
        try inTransaction(connection, path) {
            let counts = try look(after: record.queue, bounds, at: now)
            if let key = record.key, let same = try row(byKey, record.queue, record.tenant, key) {
                if !same.record.isOver(at: now) { return .existing(try stored(same)) }
                try delete(same)
            }
            guard counts.waiting + counts.running < bounds.open else { return .full }
            let rank = JobRow.rank(record.criticality)
            lastTurn.bind(1, record.queue)
            lastTurn.bind(2, rank)
            lastTurn.bind(3, record.tenant)
            JobRow.bind(record, turn: (try lastTurn.integer() ?? 0) + 1, to: insert)
            try insert.run()
            putPayload.bind(1, sqlite3_last_insert_rowid(connection))
            putPayload.bind(2, bytes)
            try putPayload.run()
            try counted(record.queue, waiting: 1)
            guard let row = try row(byID, record.id.description) else { throw missing(record.id) }
            return .inserted(ahead: try ahead(of: row))
        }
    }

    func take(_ name: String, _ lease: Int64, _ bounds: JobBounds, at now: Int64) throws -> JobHandout {
        try inTransaction(connection, path) {
            let due = try look(after: name, bounds, at: now).due
            while var next = try row(ready, name) {
                // There may be more that is due than is done at once.
                if next.record.pass(to: now) {
                    try save(next)
                    continue
                }
                next.record.take(lease: lease, at: now)
                try save(next)
                setTurn.bind(1, name)
                setTurn.bind(2, JobRow.rank(next.record.criticality))
                setTurn.bind(3, next.turn)
                try setTurn.run()
                guard let bytes = try bytes(payload, next.number) else { throw missing(next.record.id) }
                return JobHandout(job: StoredJob(next.record, payload: bytes), due: try self.due(name))
            }
            return JobHandout(job: nil, due: due)
        }
    }

    func change(_ id: JobID, _ change: JobChange, at now: Int64) throws -> JobChanged? {
        try inTransaction(connection, path) {
            guard var row = try row(byID, id.description) else { return nil }
            let before = row.record, isApplied = row.record.apply(change, at: now)
            if row.record != before { try save(row) }
            if isApplied, case .finish(_, let bytes) = change {
                putResult.bind(1, row.number)
                putResult.bind(2, bytes)
                try putResult.run()
            }
            return JobChanged(row.record, isApplied: isApplied)
        }
    }

    func find(_ id: JobID) throws -> StoredJob? {
        try inSnapshot(connection) { try row(byID, id.description).map { try stored($0) } }
    }

    func tidy(_ name: String, _ bounds: JobBounds, at now: Int64) throws -> JobCounts {
        try inTransaction(connection, path) { try look(after: name, bounds, at: now) }
    }

    // MARK: - Parts

    /// Lets happen what is due, deletes what is over, and counts.
    private func look(after name: String, _ bounds: JobBounds, at now: Int64) throws -> JobCounts {
        var latest: Int64?
        queue.bind(1, name)
        try queue.rows { latest = $0[0] }
        let back = (latest ?? now) - now
        if back > Self.setBack {
            shorten.bind(1, back)
            shorten.bind(2, name)
            try shorten.run()
        }
        if latest == nil || back > Self.setBack || -back > Self.forgotten {
            told.bind(1, name)
            told.bind(2, now)
            try told.run()
        }
        dueOpen.bind(1, name)
        dueOpen.bind(2, now)
        for var row in try rows(dueOpen) where row.record.pass(to: now) { try save(row) }
        for row in try ended(name, Self.page) where row.record.isOver(at: now) { try delete(row) }
        var counts = try counts(name)
        if counts.ended > bounds.ended {
            for row in try ended(name, min(Self.page, counts.ended - bounds.ended)) { try delete(row) }
            counts = try self.counts(name)
        }
        counts.due = try due(name)
        return counts
    }

    private func counts(_ name: String) throws -> JobCounts {
        var counts = JobCounts(waiting: 0, running: 0, ended: 0, due: nil)
        queue.bind(1, name)
        try queue.rows { counts = JobCounts(waiting: Int($0[1]), running: Int($0[2]), ended: Int($0[3]), due: nil) }
        return counts
    }

    /// When something is due next.
    private func due(_ name: String) throws -> Int64? {
        let dates = try [Int64(0), 1].compactMap { isEnded in
            nextDue.bind(1, name)
            nextDue.bind(2, isEnded)
            return try nextDue.integer()
        }
        return dates.min()
    }

    private func ended(_ name: String, _ most: Int) throws -> [JobRow] {
        dueEnded.bind(1, name)
        dueEnded.bind(2, Int64(most))
        return try rows(dueEnded)
    }

    private func save(_ row: JobRow) throws {
        row.bindChange(to: update)
        try update.run()
        if row.record.phase.isEnded, !row.phase.isEnded {
            try execute("DELETE FROM payloads WHERE number = \(row.number)", connection)
        }
        try counted(
            row.record.queue, waiting: Self.one(row.record.phase.isWaiting) - Self.one(row.phase.isWaiting),
            running: Self.one(row.record.phase == .running) - Self.one(row.phase == .running),
            ended: Self.one(row.record.phase.isEnded) - Self.one(row.phase.isEnded))
    }

    private func delete(_ row: JobRow) throws {
        try execute(
            "DELETE FROM jobs WHERE number = \(row.number); DELETE FROM results WHERE number = \(row.number)",
            connection)
        try counted(row.record.queue, ended: -1)
    }

    private func counted(_ name: String, waiting: Int64 = 0, running: Int64 = 0, ended: Int64 = 0) throws {
        guard (waiting, running, ended) != (0, 0, 0) else { return }
        count.bind(1, waiting)
        count.bind(2, running)
        count.bind(3, ended)
        count.bind(4, name)
        try count.run()
    }

    private func stored(_ row: JobRow) throws -> StoredJob {
        var job = StoredJob(row.record, ahead: try ahead(of: row))
        guard row.phase == .done else { return job }
        job.result = try bytes(result, row.number)
        guard job.result != nil else { throw missing(row.record.id) }
        return job
    }

    private func ahead(of row: JobRow) throws -> Int {
        guard row.phase.isWaiting else { return 0 }
        before.bind(1, row.record.queue)
        before.bind(2, JobRow.rank(row.record.criticality))
        before.bind(3, row.turn)
        before.bind(4, row.number)
        return Int(try before.integer() ?? 0)
    }

    private func row(_ statement: Statement, _ texts: String...) throws -> JobRow? {
        for (index, text) in texts.enumerated() { statement.bind(Int32(index + 1), text) }
        return try rows(statement).first
    }

    private func rows(_ statement: Statement) throws -> [JobRow] {
        var rows: [JobRow] = []
        try statement.rows { rows.append(try JobRow($0, path)) }
        return rows
    }

    private func bytes(_ statement: Statement, _ number: Int64) throws -> [UInt8]? {
        var bytes: [UInt8]?
        statement.bind(1, number)
        try statement.rows { bytes = $0.bytes(0) }
        return bytes
    }

    private func missing(_ id: JobID) -> StoreError {
        StoreError(.corrupt, "\(path): what belongs to job \(id) is missing")
    }

    private static func one(_ holds: Bool) -> Int64 { holds ? 1 : 0 }
}
#endif
