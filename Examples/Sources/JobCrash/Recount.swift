import Foundation
import GRDB
import ModelRouting

/// What the files say in the end, counted from their rows alone.
struct Recount {
    private struct Row {
        let key: String
        let phase: JobRecord.Phase?
        let cause: String?
        let result: String?
        let effects: Int
        let answer: String?
    }

    private(set) var tally = Tally()
    private var rows: [String: Row] = [:]
    private var wrong: [String] = []

    /// Lets the file count its effects: whenever a job is done, and in the same transaction.
    static func watch(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE effects (number INTEGER NOT NULL, token INTEGER NOT NULL);
                    CREATE TRIGGER job_done AFTER UPDATE OF phase ON jobs WHEN NEW.phase = \(JobRecord.Phase.done.rawValue)
                    BEGIN INSERT INTO effects VALUES (NEW.number, NEW.token); END;
                    """)
        }
        try queue.close()
    }

    init(_ folder: String) throws {
        let queue = try DatabaseQueue(path: Work.jobs(folder))
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "ATTACH DATABASE ? AS provider", arguments: [Work.provider(folder)])
            let sql = """
                SELECT id, key, phase, cause, (SELECT bytes FROM results WHERE number = jobs.number) AS result,
                (SELECT count(*) FROM effects WHERE number = jobs.number) AS effects,
                (SELECT answer FROM provider.charges WHERE key = jobs.id) AS answer FROM jobs
                """
            for row in try GRDB.Row.fetchAll(db, sql: sql) {
                let result = (row["result"] as Data?).map { String(decoding: $0, as: UTF8.self) }
                let phase = JobRecord.Phase(rawValue: row["phase"])
                rows[row["id"]] = Row(
                    key: row["key"] ?? "", phase: phase, cause: row["cause"], result: result, effects: row["effects"],
                    answer: row["answer"])
            }
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }
            tally.taken = try count("SELECT sum(token) FROM jobs")
            tally.calls = try count("SELECT count(*) FROM provider.calls")
            tally.charges = try count("SELECT count(*) FROM provider.charges")
            tally.effects = try count("SELECT count(*) FROM effects")
            let ended = try count("SELECT ended FROM queues"), open = try count("SELECT waiting + running FROM queues")
            if (ended, open) != (rows.count, 0) {
                wrong.append("\(rows.count) jobs have ended; the queue has counted \(ended), and \(open) open ones")
            }
            let check = try String.fetchOne(db, sql: "PRAGMA integrity_check") ?? ""
            if check != "ok" { wrong.append("the file: \(check)") }
        }
        tally.jobs = rows.count
        for row in rows.values {
            switch row.phase {
            case .done: tally.done += 1
            case .failed: tally.failed += 1
            case .expired: tally.expired += 1
            case .cancelled: tally.cancelled += 1
            default: break
            }
        }
        try queue.close()
    }

    /// What contradicts the receipts, or itself.
    func problems(_ receipts: [Receipt]) -> [String] {
        var problems = wrong
        for (id, row) in rows { problems += Self.problems(row).map { "job \(id), \(row.key): \($0)" } }
        var names: [String: String] = [:]
        for receipt in receipts {
            switch receipt {
            case .tried, .refused: break
            case .accepted(let key, let id):
                if rows[id]?.key != key { problems.append("\(key) was accepted as \(id), which is not there") }
                if let other = names.updateValue(id, forKey: key), other != id {
                    problems.append("\(key) was accepted as \(other) and as \(id)")
                }
            case .cancelled(let id):
                if rows[id]?.phase != .cancelled { problems.append("\(id) was cancelled, and is not") }
            case .done(let id, let result):
                if rows[id]?.result != result { problems.append("\(id) was done with \(result), and is not") }
            }
        }
        if Set(rows.values.map(\.key)).count != rows.count { problems.append("a key has two jobs") }
        return problems
    }

    private static func problems(_ row: Row) -> [String] {
        guard let phase = row.phase, phase.isEnded else { return ["it has not ended"] }
        var problems: [String] = []
        let expected = phase == .done ? 1 : 0
        if row.effects != expected { problems.append("\(phase), with \(row.effects) effects") }
        if (row.result != nil) != (phase == .done) {
            problems.append("\(phase), with the result \(row.result ?? "none")")
        }
        if phase == .done, row.result != row.answer {
            problems.append("its result is not what the provider answered, \(row.answer ?? "nothing")")
        }
        if let answer = row.answer, !answer.hasPrefix(row.key + "/") { problems.append("the answer is another's") }
        switch (Work.Fate(row.key), phase) {
        case (.succeeds, .done), (.stumbles, .done), (.isCancelled, .done), (.isCancelled, .cancelled),
            (.isHasty, .done),
            (.isHasty, .expired):
            break
        case (.isHopeless, .failed) where row.cause == "invalid_request": break
        default: problems.append("\(Work.Fate(row.key)), and \(phase) for \(row.cause ?? "no cause")")
        }
        return problems
    }
}
