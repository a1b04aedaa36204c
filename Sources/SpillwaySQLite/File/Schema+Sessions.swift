#if SQLiteSupport
extension Schema {
    /// `SpSE`.
    static let sessions = Schema(
        content: "sessions", application: 0x5370_5345, version: 1,
        tables: """
            CREATE TABLE sessions (
                id TEXT PRIMARY KEY, revision INTEGER NOT NULL, expires INTEGER NOT NULL, replica TEXT NOT NULL,
                model TEXT NOT NULL, major INTEGER, minor INTEGER, patch INTEGER, zone TEXT, started INTEGER NOT NULL,
                last_used INTEGER NOT NULL, turns INTEGER NOT NULL, prefix_head INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            CREATE INDEX sessions_by_expiry ON sessions (expires);
            CREATE TABLE last_revision (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
            INSERT INTO last_revision VALUES (1, 0);

            CREATE VIEW readable_sessions AS SELECT
                id, replica, model, major || '.' || minor || '.' || patch AS version, zone, turns, revision,
                strftime('%Y-%m-%d %H:%M:%f', started / 1e9, 'unixepoch') AS started,
                strftime('%Y-%m-%d %H:%M:%f', last_used / 1e9, 'unixepoch') AS last_used,
                strftime('%Y-%m-%d %H:%M:%f', expires / 1e9, 'unixepoch') AS expires
                FROM sessions;
            """)
}
#endif
