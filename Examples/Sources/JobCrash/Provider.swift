import GRDB

/// A provider that knows idempotency keys: it charges once for a key, and gives the same answer again.
struct Provider {
    private let queue: DatabaseQueue

    init(_ path: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Makes the file.
    static func make(_ path: String) throws {
        let provider = try Provider(path)
        try provider.queue.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    CREATE TABLE calls (key TEXT NOT NULL);
                    CREATE TABLE charges (key TEXT PRIMARY KEY, answer TEXT NOT NULL);
                    """)
        }
        try provider.queue.close()
    }

    /// Does the work of `key` unless it was done, and returns its answer; `answer` is a new one.
    func call(_ key: String, _ answer: String) async throws -> String {
        try await queue.write { db in
            try db.execute(sql: "INSERT INTO calls VALUES (?)", arguments: [key])
            try db.execute(sql: "INSERT OR IGNORE INTO charges VALUES (?, ?)", arguments: [key, answer])
            return try String.fetchOne(db, sql: "SELECT answer FROM charges WHERE key = ?", arguments: [key]) ?? ""
        }
    }
}
