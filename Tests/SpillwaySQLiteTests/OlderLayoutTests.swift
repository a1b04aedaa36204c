#if SQLiteSupport
import CostLedger
import SpillwayCore
import SpillwaySQLite
import Testing

/// Files of earlier versions of this library.
@Suite(.timeLimit(.minutes(2))) struct OlderLayoutTests {
    /// A file as layout 1 had it, with a settled posting, and one that is held.
    private static let first: String = {
        let meters = [
            "input", "cache_read", "cache_write", "cache_write_hour", "cache_write_half_day", "output", "reasoning",
            "audio_input", "audio_cache_read", "audio_output", "image_input", "image_output", "images", "requests",
            "milliseconds", "tool_calls",
        ]
        let nothing = meters.map { _ in "NULL" }.joined(separator: ", ")
        return """
            PRAGMA journal_mode = WAL;
            CREATE TABLE scopes (
                id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name)) STRICT;
            CREATE TABLE scope_lists (id INTEGER PRIMARY KEY, scopes TEXT NOT NULL UNIQUE) STRICT;
            CREATE TABLE scope_list_members (
                list INTEGER NOT NULL, position INTEGER NOT NULL, scope INTEGER NOT NULL,
                PRIMARY KEY (list, position)) STRICT, WITHOUT ROWID;
            CREATE INDEX scope_list_members_by_scope ON scope_list_members (scope, list);
            CREATE TABLE postings (
                id INTEGER PRIMARY KEY, operation INTEGER NOT NULL, attempt INTEGER NOT NULL, scopes INTEGER NOT NULL,
                began INTEGER NOT NULL, time INTEGER NOT NULL, held INTEGER NOT NULL, cost INTEGER NOT NULL,
                source INTEGER NOT NULL, verdict INTEGER NOT NULL, cause TEXT, retry_after INTEGER, usage_source INTEGER,
                \(meters.map { "\($0) INTEGER" }.joined(separator: ", "))) STRICT;
            CREATE INDEX postings_by_time ON postings (time);
            CREATE TABLE open_holds (number INTEGER PRIMARY KEY, posting INTEGER NOT NULL) STRICT;
            CREATE TABLE balances (
                scope INTEGER NOT NULL, window TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
                counts_until INTEGER NOT NULL, held INTEGER NOT NULL, spent INTEGER NOT NULL, overage INTEGER NOT NULL,
                suspense INTEGER NOT NULL, PRIMARY KEY (scope, window, start)) STRICT, WITHOUT ROWID;
            CREATE INDEX balances_by_end ON balances (counts_until);
            CREATE INDEX balances_unsettled ON balances (scope) WHERE held <> 0 OR suspense <> 0;
            CREATE TABLE last_number (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT;
            INSERT INTO last_number VALUES (1, 2);
            CREATE VIEW readable_postings AS SELECT id / 4 AS number, held / 1e9 AS held_dollars FROM postings;
            CREATE VIEW readable_balances AS SELECT window FROM balances;
            PRAGMA application_id = 1399868487;
            PRAGMA user_version = 1;
            INSERT INTO scopes VALUES (1, 'tenant', 'acme'), (2, 'key', 'k1');
            INSERT INTO scope_lists VALUES (1, '1 2');
            INSERT INTO scope_list_members VALUES (1, 0, 1), (1, 1, 2);
            INSERT INTO postings VALUES (5, 1, 1, 1, \(noon), \(noon), 100, 60, 2, 0, NULL, NULL, NULL, \(nothing));
            INSERT INTO postings VALUES
                (8, 2, 1, 1, \(noon), \(noon), 100, 0, 0, 2, 'cancelled', NULL, NULL, \(nothing));
            INSERT INTO open_holds VALUES (2, 8);
            """
    }()

    private let old: [Posting] = [
        posting(1),
        posting(2, .held, cost: 0, source: .estimated, outcome: .neutral(.cancelled)),
    ]

    private func saved(_ number: UInt64) -> Posting {
        var one = posting(number, .saved, time: noon + 1, held: 0, cost: 0, usage: Usage(input: 5))
        one.saved = .nano(42)
        one.attempt = 0
        return one
    }

    @Test func `a file of layout 1 is read as it is`() async throws {
        let folder = try Folder()
        try Damage.run(Self.first, folder.ledger)
        #expect(try await postings(folder.ledger) == old)
        let image = try await SQLiteLedgerReader(folder.ledger).image(at: noon)
        #expect(image.lastNumber == 2 && image.open == [old[1]])
        #expect(try Damage.row("PRAGMA user_version", folder.ledger) == "1")
    }

    @Test func `a ledger brings it to this layout, and keeps what is there`() async throws {
        let folder = try Folder()
        try Damage.run(Self.first, folder.ledger)
        // One that read it before goes on reading.
        let reader = try await SQLiteLedgerReader(folder.ledger)
        #expect(try await reader.image(at: noon).open == [old[1]])
        let store = try await SQLiteLedgerStore(folder.ledger)
        #expect(try await store.load(at: noon).open == [old[1]])
        try await store.append(LedgerBatch(postings: [saved(3)], balances: []))
        try await store.append(LedgerBatch(postings: [saved(3), saved(4)], balances: []))
        var all: [Posting] = []
        try await reader.postings { all.append($0) }
        #expect(all == old + [saved(3), saved(4)])
        #expect(try await store.load(at: noon).lastNumber == 4)
        #expect(try await store.load(at: noon).open == [old[1]])
        try await store.close()
        #expect(try Damage.row("PRAGMA user_version", folder.ledger) == "2")
        let text = try Damage.row(
            "SELECT kind || ' ' || saved_dollars FROM readable_postings WHERE number = 3", folder.ledger)
        #expect(text == "saved 4.2e-08")
        #expect(try Damage.row("SELECT kind FROM readable_postings WHERE number = 1", folder.ledger) == "settled")
        #expect(try await SQLiteLedgerStore(folder.ledger).load(at: noon).open == [old[1]])
    }

    @Test func `one whose tables are missing is left as it is`() async throws {
        let folder = try Folder()
        try Damage.run(Self.first + "DROP VIEW readable_postings; DROP TABLE postings", folder.ledger)
        let before = try folder.bytes()
        let failed = try await failure { _ = try await SQLiteLedgerStore(folder.ledger) }
        #expect(failed?.kind == .corrupt)
        #expect(try folder.bytes() == before)
        #expect(try Damage.row("PRAGMA user_version", folder.ledger) == "1")
    }
}
#endif
