#if SQLiteSupport
internal import ModelRouting

extension Schema {
    /// `SpJQ`.
    static let jobs = Schema(content: "jobs", application: 0x5370_4a51, version: 1, tables: jobTables)

    // Rows of jobs stay small, because they are written again and again; what is large lies beside them and is written once.
    // A second result for a job would be an error.
    private static let jobTables = """
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT,
            print_1 INTEGER NOT NULL, print_2 INTEGER NOT NULL, rank INTEGER NOT NULL, turn INTEGER NOT NULL,
            submitted INTEGER NOT NULL, expires INTEGER NOT NULL, keeps INTEGER NOT NULL, most_runs INTEGER NOT NULL,
            phase INTEGER NOT NULL, is_ended INTEGER NOT NULL, token INTEGER NOT NULL, runs INTEGER NOT NULL,
            progress REAL NOT NULL, due INTEGER NOT NULL, cause TEXT, message TEXT) STRICT;
        CREATE UNIQUE INDEX jobs_by_key ON jobs (queue, tenant, key) WHERE key IS NOT NULL;
        CREATE INDEX jobs_by_due ON jobs (queue, is_ended, due);
        CREATE INDEX jobs_ready ON jobs (queue, rank, turn) WHERE phase = 0;
        CREATE INDEX jobs_of_tenant ON jobs (queue, rank, tenant, turn) WHERE phase = 0;
        CREATE TABLE payloads (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE results (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE queues (
            name TEXT PRIMARY KEY, latest INTEGER NOT NULL, waiting INTEGER NOT NULL, running INTEGER NOT NULL,
            ended INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE turns (
            queue TEXT NOT NULL, rank INTEGER NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (queue, rank))
            STRICT, WITHOUT ROWID;

        CREATE VIEW readable_jobs AS SELECT
            id, queue, tenant, key,
            CASE phase \(JobRecord.Phase.allCases.map { "WHEN \($0.rawValue) THEN '\($0)'" }.joined(separator: " "))
            END AS phase, runs, progress,
            strftime('%Y-%m-%d %H:%M:%f', submitted / 1e9, 'unixepoch') AS submitted,
            strftime('%Y-%m-%d %H:%M:%f', expires / 1e9, 'unixepoch') AS expires,
            strftime('%Y-%m-%d %H:%M:%f', due / 1e9, 'unixepoch') AS due, cause, message
            FROM jobs;
        """
}
#endif
