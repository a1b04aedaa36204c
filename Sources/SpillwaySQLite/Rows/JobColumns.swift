#if SQLiteSupport
internal import CostLedger
internal import ModelRouting
internal import SpillwayCore

/// A job as a row, column by column.
struct JobRow {
    let number: Int64
    let turn: Int64
    var record: JobRecord
    /// Where it stood when it was read.
    let phase: JobRecord.Phase

    static let list =
        "number, id, queue, tenant, key, print_1, print_2, rank, turn, submitted, expires, keeps, most_runs, phase, "
        + "token, runs, progress, due, cause, message"

    /// The most critical come first.
    static func rank(_ criticality: Criticality) -> Int64 {
        Int64(Criticality.criticalPlus.rawValue - criticality.rawValue)
    }

    /// The job of a row whose columns are ``list``.
    init(_ row: Statement, _ path: String) throws {
        let rank = row[7]
        guard let id = row.text(1).flatMap({ JobID($0) }), let queue = row.text(2), let tenant = row.text(3),
            let rank = UInt8(exactly: rank), rank <= Criticality.criticalPlus.rawValue,
            let criticality = Criticality(rawValue: Criticality.criticalPlus.rawValue - rank),
            let phase = UInt8(exactly: row[13]).flatMap({ JobRecord.Phase(rawValue: $0) }),
            let runs = Int(exactly: row[15]), let mostRuns = Int(exactly: row[12])
        else { throw StoreError(.corrupt, "\(path): job \(row[0]) makes no sense") }
        number = row[0]
        turn = row[8]
        self.phase = phase
        record = JobRecord(
            id: id, queue: queue, tenant: tenant, key: row.text(4),
            fingerprint: SIMD2(UInt64(bitPattern: row[5]), UInt64(bitPattern: row[6])), criticality: criticality,
            submitted: row[9], expires: row[10], keeps: row[11], mostRuns: mostRuns)
        record.phase = phase
        record.token = row[14]
        record.runs = runs
        record.progress = row.double(16)
        record.due = row[17]
        record.failure = row.text(18).map { JobFailure(Outcome.Cause($0) ?? .unknown, row.text(19) ?? "") }
    }

    static let insert =
        "INSERT INTO jobs (id, queue, tenant, key, print_1, print_2, rank, turn, submitted, expires, keeps, most_runs, "
        + "due, phase, is_ended, token, runs, progress) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0)"

    /// Binds all columns of a new job.
    static func bind(_ record: JobRecord, turn: Int64, to statement: Statement) {
        statement.bind(1, record.id.description)
        statement.bind(2, record.queue)
        statement.bind(3, record.tenant)
        statement.bind(4, record.key)
        statement.bind(5, Int64(bitPattern: record.fingerprint[0]))
        statement.bind(6, Int64(bitPattern: record.fingerprint[1]))
        statement.bind(7, rank(record.criticality))
        statement.bind(8, turn)
        statement.bind(9, record.submitted)
        statement.bind(10, record.expires)
        statement.bind(11, record.keeps)
        statement.bind(12, Int64(record.mostRuns))
        statement.bind(13, record.due)
    }

    static let update =
        "UPDATE jobs SET phase = ?, is_ended = ?, token = ?, runs = ?, progress = ?, due = ?, cause = ?, message = ? "
        + "WHERE number = ?"

    /// Binds what may have changed.
    func bindChange(to statement: Statement) {
        statement.bind(1, Int64(record.phase.rawValue))
        statement.bind(2, record.phase.isEnded ? Int64(1) : 0)
        statement.bind(3, record.token)
        statement.bind(4, Int64(record.runs))
        statement.bind(5, record.progress)
        statement.bind(6, record.due)
        statement.bind(7, record.failure?.cause.description)
        statement.bind(8, record.failure?.message)
        statement.bind(9, number)
    }
}
#endif
