import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct ReconcileTests {
    private func invoice(_ text: String) throws -> Invoice { try Invoice(csv: text.utf8) }

    @Test func `days and models that are off, or on one side, are listed`() throws {
        let invoice = try invoice(
            """
            model,date,amount,project
            a,2026-11-21,1.50,x
            a,2026-11-21,0.505,y
            b,2026-11-21,3,x
            c,2026-11-22,0.25,x
            d,2026-11-23,0.00,x
            """)
        var report = Reconciliation(invoice)
        report.add(.made(1, of: [.model("a")], cost: 2_000_000_000, usage: Usage(input: 5)))
        report.add(.made(2, of: [.model("b")], cost: 2_000_000_000))
        report.add(.made(3, of: [.model("b")], cost: 989_000_000, source: .estimated))
        report.add(.made(4, of: [.model("b")], began: 86_400 + 5, cost: 7))
        report.add(.made(5, of: [.model("b")], began: -1, cost: 900))
        report.add(.made(6, of: [.model("b")], began: 3 * 86_400, cost: 900))
        report.add(.made(7, .voided, of: [.model("x")]))
        let rows = report.differences
        // Half a cent too much for a is within a cent; eleven tenths of one for b are not.
        #expect(rows.map(\.model) == ["b", "b", "c"])
        #expect(rows.map(\.invoiced) == [.dollars(3), nil, .cents(25)])
        #expect(rows.map(\.booked?.nanodollars) == [2_989_000_000, 7, nil])
        #expect(rows[0].uncertain.nanodollars == 989_000_000)
        #expect(report.total.invoiced == Money(dollars: "5.255"))
        #expect(report.total.booked.nanodollars == 4_989_000_007)
        #expect(
            report.table.rows.map(\.last) == [
                .text("differs"), .text("only in the books"), .text("only on the invoice"), .text("5 rows, 3 off"),
            ])
    }

    @Test func `rows that cannot be read are listed by line and in no sum`() throws {
        let invoice = try invoice(
            "date,model,amount\r\n2026-11-21,a,1\r\n2026-02-30,a,1\r\n\r\n2026-11-21,\"a\r\nb\",1\r\n2026-11-21,a\r\n"
                + "2026-11-21,,1\r\n2026-11-21,a,1.2.3\r\n2026-11-21,a,$1\r\n2026-11-21T00:00,a,1\r\n"
                + "2026-11-21,a\"b,1\r\n2026-11-21,\"a\"b,1\r\nTotal,,9\r\n2026-11-21,\"a,1\r\n2026-11-21,a,1\r\n")
        #expect(invoice.lines.map(\.model) == ["a", "a\r\nb"])
        #expect(invoice.malformed.map(\.line) == [3, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        #expect(invoice.malformed[0].reason == "'2026-02-30' is no date such as 2026-11-21")
        #expect(invoice.malformed[1].reason == "2 fields, but the header has 3")
        #expect(invoice.malformed[9].reason == "the quote of line 15 is never closed; nothing after it was read")
        #expect(Reconciliation(invoice).table.rows.count == 2 + 1 + 10)
    }

    @Test func `columns have other names, and must be there once`() throws {
        var columns = Invoice.Columns()
        columns.date = "day"
        columns.tokens = "n"
        let text = "n,day,model,amount\n12,2026-11-21,a,0.1\nx,2026-11-21,a,0.1\n"
        let invoice = try Invoice(csv: text.utf8, columns: columns)
        #expect(invoice.lines.map(\.tokens) == [12])
        #expect(invoice.malformed.map(\.reason) == ["'x' is no number of tokens"])
        for bad in ["", "day,model,amount\n", "date,model,amount,date\n", "date,model,\"amount\n"] {
            #expect(throws: ConfigurationError.self) { try self.invoice(bad) }
        }
    }

    @Test func `an invoice that says what the books say has no differences`() throws {
        try forEachSeed(30) { seed, random in
            let postings = randomJournal(&random, operations: 60)
            var statement = Statement(by: .model, per: .day)
            statement.add(contentsOf: postings)
            var text = "date,model,amount\n"
            for row in statement.rows where row.spend.attempts > 0 {
                text += "\(UTCTime(nanoseconds: row.period.lowerBound)),\(row.group ?? ""),\(row.spend.cost.decimal)\n"
            }
            var report = Reconciliation(try invoice(text), tolerance: .zero)
            report.add(contentsOf: postings)
            #expect(report.differences == [] && report.malformed == [], "seed \(seed)")
            #expect(report.total.booked == statement.total.cost, "seed \(seed)")
        }
    }
}
