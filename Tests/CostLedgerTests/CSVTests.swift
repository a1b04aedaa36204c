import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct CSVTests {
    private func read(_ text: String) -> [CSVReader.Record] { CSVReader.records(text.utf8) }

    @Test(
        arguments: [
            ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]), ("a\nb", [["a"], ["b"]]), ("\u{FEFF}a\n", [["a"]]),
            ("\"a,\"\"b\"\"\r\nc\",", [["a,\"b\"\r\nc", ""]]), ("\"\"\n", []), ("", []), ("\n\n", []),
            (",\n", [["", ""]]),
            ("a\rb\n", [["a\rb"]]), ("a\r", [["a"]]),
        ])
    func `records are those of RFC 4180`(text: String, records: [[String]]) {
        #expect(read(text).map(\.fields) == records)
        #expect(read(text).allSatisfy { $0.problem == nil })
    }

    @Test func `what is wrong is told, with the line, and the rest is read`() {
        let records = read("a\"b\n\"x\ny\"z\nok\n\"open")
        #expect(records.map(\.line) == [1, 2, 4, 5])
        #expect(records.map { $0.problem == nil } == [false, false, true, false])
        #expect(CSVReader.records([0xFF, 0x0A, 0x61]).map(\.problem) == ["not UTF-8", nil])
    }

    @Test(arguments: ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "'quoted", "=\"a\",b"])
    func `no name becomes a formula`(name: String) throws {
        let table = ReportTable(["name", "cost"], [[.text(name), .money(Money(nanodollars: -5))]])
        let row = try #require(read(table.csv).last)
        #expect(row.fields == ["'" + name, "-0.000000005"])
        #expect(row.problem == nil)
        #expect(table.tsv.split(separator: "\n").count == 2)
    }

    @Test func `names come back as they were`() {
        let letters = Array("ab,\"\r\n'=+-@\t; é😀")
        forEachSeed(2_000) { seed, random in
            let rows = (0...random.upTo(3)).map { _ in
                (0...2).map { _ in String((0..<random.upTo(5)).map { _ in letters[random.upTo(letters.count - 1)] }) }
            }
            let table = ReportTable(["a", "b", "c"], rows.map { $0.map { .text($0) } })
            let back = read(table.csv).dropFirst().map { record in
                record.fields.map { $0.hasPrefix("'") ? String($0.unicodeScalars.dropFirst()) : $0 }
            }
            #expect(back == rows, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("2026-11-21", reportDay), ("2000-02-29", 951_782_400 * second),
            ("1969-12-31T23:59:59Z", -second), ("2026-11-21T09:30", reportDay + 34_200 * second),
            ("1678-01-01", -9_214_560_000 * second), ("2026-02-29", nil), ("1900-02-29", nil), ("2026-13-01", nil),
            ("2026-00-01", nil), ("2026-1-1", nil), ("2026-11-21T24:00", nil), ("2026-11-21T", nil), ("", nil),
            ("+026-11-21", nil), ("2262-01-01", nil), ("2026-11-21 09:30", nil), ("٢026-11-21", nil),
        ] as [(String, Int64?)])
    func `dates are read strictly`(text: String, nanoseconds: Int64?) {
        #expect(UTCTime(text)?.nanoseconds == nanoseconds)
    }

    @Test func `dates come back as they were`() {
        forEachSeed(2_000) { seed, random in
            let time = UTCTime(nanoseconds: (Int64(random.upTo(18_400_000_000)) - 9_200_000_000) * second)
            #expect(UTCTime(time.description) == time, "seed \(seed)")
            let day = UTCTime(time.date)?.nanoseconds
            #expect(day == Window.day.period(at: time.nanoseconds).lowerBound, "seed \(seed)")
        }
    }
}
