import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite
import Testing

@testable import LedgerTool

@Suite struct CommandTests {
    private static let start = UTCTime("2026-11-21")!.nanoseconds

    private func posting(
        _ number: UInt64, _ kind: Posting.Kind = .settled, operation: UInt64, attempt: UInt32 = 1,
        _ tenant: String = "acme",
        at second: Int64 = 0, took: Int64 = 2, cost: Int64 = 0, _ outcome: Outcome = .success
    ) -> Posting {
        Posting(
            number: number, kind: kind, operation: operation, attempt: attempt,
            scopes: [.tenant(tenant), .model("gpt-4o")], began: Self.start + second * 1_000_000_000,
            time: Self.start + (second + took) * 1_000_000_000, held: .cents(1),
            cost: kind == .settled ? Money(nanodollars: cost) : .zero,
            usage: kind == .settled ? Usage(input: 1_000, output: 100) : nil, source: .provider, outcome: outcome)
    }

    /// Three calls: one that was retried, one that failed, one a day later that lies in suspense.
    private var postings: [Posting] {
        [
            posting(2, operation: 1, cost: 3_500_000, .failure(.timeout)),
            posting(3, operation: 1, attempt: 2, at: 3, took: 1, cost: 3_500_000),
            posting(5, operation: 4, "=globex", at: 5, cost: 12_000_000, .failure(.serverError)),
            posting(7, .suspended, operation: 6, at: 86_400),
        ]
    }

    private func journal(_ folder: Folder) throws -> String {
        try folder.file("journal", try postings.map(JournalFile.line).joined())
    }

    @Test func `spend by tenant and day`() async throws {
        let folder = try Folder(), path = try journal(folder)
        #expect(
            try await answer("spend", path, "--by", "tenant", "--per", "day", "--to", "2026-11-22") == """
                day         tenant    cost  provider  overage  operations  attempts  input  output  per_1k_tokens
                -------------------------------------------------------------------------------------------------
                2026-11-21  =globex  0.012     0.012    0.002           1         1   1000     100       0.010909
                2026-11-21  acme     0.007     0.007    0.000           1         2   2000     200       0.003182
                total                0.019     0.019    0.002           2         3   3000     300       0.005758

                """)
        let csv = try await answer("spend", path, "--by", "tenant", "--format", "csv")
        #expect(csv.split(separator: "\r\n")[1].hasPrefix("'=globex,0.012,0.012,0.00,0.00,0.002,"))
        let own = try await answer(
            "spend", path, "--scope", "tenant:acme", "--from", "2026-11-21T00:00:02Z", "--format", "tsv")
        #expect(own.split(separator: "\n")[1].hasPrefix("0.0035\t0.0035\t0.00\t0.00\t0.00\t0.00\t0.01\t0.00\t1\t1"))
    }

    @Test func `answers within their target`() async throws {
        let folder = try Folder(), path = try journal(folder)
        #expect(
            try await answer("answers", path, "--slo", "4") == """
                answers  in_time  failed  open   cost  wasted  per_answer  per_answer_in_time
                -----------------------------------------------------------------------------
                      1        1       1     1  0.019  0.0155       0.019               0.019

                """)
        let late = try await answer("answers", path, "--slo", "3.9", "--format", "csv")
        #expect(late.split(separator: "\r\n")[1] == "1,0,1,1,0.019,0.0155,0.019,")
    }

    @Test func `burn-down of a limit, with a drawing`() async throws {
        let folder = try Folder(), path = try journal(folder), drawing = folder.path("burn.svg")
        let text = try await answer(
            "burn", path, "--scope", "tenant:acme", "--limit", "0.02", "--per", "day", "--at", "2026-11-21T12:00Z",
            "--trailing", "86400", "--drawing", drawing)
        #expect(
            text == """
                tenant:acme: day from 2026-11-21 to 2026-11-22, at 2026-11-21T12:00:00Z
                taken     0.01 of 0.02
                an hour   0.0003 in the last 86400.0 seconds
                forecast  0.01 at the end
                limit     not reached before 2026-11-22

                """)
        let svg = try String(contentsOfFile: drawing, encoding: .utf8)
        #expect(svg.hasPrefix("<svg") && svg.contains("tenant:acme: left of $0.02, in thousandths of a dollar"))
    }

    @Test func `prices, anew and at all`() async throws {
        let folder = try Folder(), path = try journal(folder)
        // 1,000 tokens at 2.50 and 100 at 10 dollars a million.
        let text = try await answer("reprice", path, "--format", "csv")
        #expect(text.split(separator: "\r\n")[1] == "gpt-4o,3,0.019,0.0105,-0.0085,0,0.00,0,0.00,")
        let table = try folder.file(
            "prices.json",
            #"{"m": {"input_cost_per_token": 1e-6, "input_cost_per_character": 1e-7}, "free": {"input_cost_per_token": 0}}"#
        )
        #expect(
            try await answer("prices", "m", "--prices", table, "--format", "csv").hasSuffix(
                "m,,standard,1.00,1.00,1.00,1.00,1.00,1.00,1.00,1.00\r\n"))
        let unmapped = try await answer("prices", "--prices", table, "--unmapped", "--format", "csv")
        #expect(unmapped.hasSuffix("m,input_cost_per_character,unit\r\n"))
        #expect(try await answer("prices", "--prices", table).contains("of these free, or not known to cost      1"))
    }

    @Test func `an invoice beside the books`() async throws {
        let folder = try Folder(), path = try journal(folder)
        let invoice = try folder.file("invoice.csv", "date,model,amount\n2026-11-21,gpt-4o,0.50\n2026-11-21,x,oops\n")
        let text = try await answer("reconcile", path, "--invoice", invoice, "--format", "csv")
        #expect(
            text.split(separator: "\r\n").dropFirst().map(String.init) == [
                "2026-11-21,gpt-4o,0.50,0.019,0.481,0.00,,3300,differs",
                "total,,0.50,0.019,0.481,0.00,,,\"1 rows, 1 off\"",
                "line 3,,,,,,,,''oops' is no amount in dollars to the nano-dollar",
            ])
    }

    @Test func `what lies in suspense`() async throws {
        let folder = try Folder(), path = try journal(folder)
        #expect(
            try await answer("suspense", path)
                == """
                began       state      number  operation  attempt  held  scopes
                ---------------------------------------------------------------------------------
                2026-11-22  suspended       7          6        1  0.01  tenant:acme model:gpt-4o

                """)
    }

    @Test func `a journal and the file of a ledger say the same`() async throws {
        let folder = try Folder(), path = try journal(folder), file = folder.path("books.sqlite")
        let store = try await SQLiteLedgerStore(file)
        _ = try await store.load(at: Self.start)
        try await store.append(LedgerBatch(postings: postings, balances: []))
        try await store.close()
        #expect(try await answer("export", file) == answer("export", path))
        for command in ["spend", "answers", "suspense", "reprice"] {
            #expect(try await answer(command, file) == answer(command, path))
        }
    }

    @Test func `an exported journal reads back, and the sample is the same each time`() async throws {
        let folder = try Folder(), sample = try await answer("sample", "--seed", "7", "--calls", "300")
        #expect(try await answer("sample", "--seed", "7", "--calls", "300") == sample)
        let path = try folder.file("sample", sample)
        #expect(try await answer("export", path) == sample)
        // Whatever the provider's figures priced is priced the same again.
        let rows = try await answer("reprice", path, "--format", "csv").split(separator: "\r\n").dropFirst()
        #expect(
            rows.count == 4
                && rows.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false)[4] == "0.00" })
    }

    @Test(
        arguments: [
            (0, 2, "0.00"), (1_499, 6, "0.000001"), (2_500, 6, "0.000002"), (-1, 2, "0.00"), (-5_000_001, 2, "-0.01"),
            (1_234_567_891, 9, "1.234567891"), (.max, 2, "9223372036.85"),
        ] as [(Int64, Int, String)])
    func `amounts are rounded for people`(nanodollars: Int64, decimals: Int, text: String) {
        #expect(Money(nanodollars: nanodollars).rounded(decimals) == text)
    }
}
