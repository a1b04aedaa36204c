#if SQLiteSupport
internal import CostLedger
internal import SpillwayCore

extension Schema {
    /// `SpLG`.
    static let ledger = Schema(
        content: "a ledger", application: 0x5370_4c47, version: 2, tables: ledgerTables,
        migration: """
            ALTER TABLE postings ADD COLUMN saved INTEGER;
            DROP VIEW IF EXISTS readable_postings;
            \(readablePostings)
            """)

    // A posting's id is four times its number and its kind: so those of a batch lie side by side at the end of the tree, and
    // one that is there already is found without an index. An answer that was saved, whose number is no hold's, is one that was
    // settled at nothing, with a sum in `saved`.
    private static let ledgerTables = """
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
            \(PostingColumns.meters.map { "\($0) INTEGER" }.joined(separator: ", ")), saved INTEGER) STRICT;
        CREATE INDEX postings_by_time ON postings (time);
        CREATE TABLE open_holds (number INTEGER PRIMARY KEY, posting INTEGER NOT NULL) STRICT;
        CREATE TABLE balances (
            scope INTEGER NOT NULL, window TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
            counts_until INTEGER NOT NULL, held INTEGER NOT NULL, spent INTEGER NOT NULL, overage INTEGER NOT NULL,
            suspense INTEGER NOT NULL, PRIMARY KEY (scope, window, start)) STRICT, WITHOUT ROWID;
        CREATE INDEX balances_by_end ON balances (counts_until);
        CREATE INDEX balances_unsettled ON balances (scope) WHERE held <> 0 OR suspense <> 0;
        CREATE TABLE last_number (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL) STRICT;
        INSERT INTO last_number VALUES (1, 0);

        \(readablePostings)
        CREATE VIEW readable_balances AS SELECT
            scopes.kind || ':' || name AS scope, window,
            strftime('%Y-%m-%d %H:%M:%f', start / 1e9, 'unixepoch') AS start,
            held / 1e9 AS held_dollars, spent / 1e9 AS spent_dollars, overage / 1e9 AS overage_dollars,
            suspense / 1e9 AS suspense_dollars
            FROM balances JOIN scopes ON scopes.id = balances.scope;
        """

    private static let readablePostings = """
        CREATE VIEW readable_postings AS SELECT
            id / 4 AS number,
            CASE WHEN saved IS NOT NULL THEN 'saved' ELSE
                CASE id % 4 \(cases(PostingColumns.kinds.map { (Int($0.rawValue), "\($0)") })) END END AS kind,
            operation, attempt,
            (SELECT group_concat(kind || ':' || name, ' ') FROM scope_list_members AS member
                JOIN scopes AS one ON one.id = member.scope WHERE member.list = postings.scopes) AS scopes,
            strftime('%Y-%m-%d %H:%M:%f', began / 1e9, 'unixepoch') AS began,
            strftime('%Y-%m-%d %H:%M:%f', time / 1e9, 'unixepoch') AS time,
            held / 1e9 AS held_dollars, cost / 1e9 AS cost_dollars, saved / 1e9 AS saved_dollars,
            CASE source \(cases(Usage.Source.allCases.map { (Int($0.rawValue), "\($0)") })) END AS source,
            CASE verdict \(cases(PostingColumns.verdicts.enumerated().map { ($0.offset, "\($0.element)") }))
            END AS verdict, cause, \(PostingColumns.meters.joined(separator: ", "))
            FROM postings;
        """

    private static func cases(_ names: [(Int, String)]) -> String {
        names.map { "WHEN \($0.0) THEN '\($0.1)'" }.joined(separator: " ")
    }
}
#endif
