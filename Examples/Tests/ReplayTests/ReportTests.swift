import Testing

@testable import Replay

@Suite("Report")
struct ReportTests {
    private let report = Report(runs: [SampleRun.naive, SampleRun.spillway])

    @Test("the last line is the result in short")
    func lastLine() {
        let line = """
            demo: naive wasted=8 goodput=75.0% cost=$0.00188 per-answer=$0.000376 | \
            spillway wasted=1 goodput=100.0% cost=$0.001675 per-answer=$0.000209375
            """
        #expect(report.lastLine == line)
        #expect(report.text.split(separator: "\n").last.map(String.init) == line)
    }

    @Test("the table has a row for each phase and run, in columns of fixed width")
    func table() {
        let lines = report.table.split(separator: "\n")
        #expect(lines.count == 2 + 4 * 2)
        #expect(Set(lines.map(\.count)).count == 1)
        let words = lines[4].split(separator: " ").map(String.init)
        #expect(
            words == ["during", "naive", "4", "1", "1", "2", "25.0%", "25.0%", "9", "8", "2.00", "2.00", "2.00"])
        #expect(lines.last?.hasPrefix("whole run  spillway") == true)
    }

    @Test("one line under the table says what its columns mean")
    func legend() throws {
        #expect(report.text.hasPrefix(report.table + "\n" + report.legend + "\n\n"))
        #expect(!report.legend.contains("\n"))
        for column in ["in target", "truncated", "calls", "wasted"] {
            #expect(Report.columns.contains(column) && report.legend.contains("\(column): "))
        }
    }

    @Test("a share is rounded down, so that only all is 100.0%")
    func percent() {
        #expect(Report.percent(1556, of: 1557) == "99.9%")
        #expect(Report.percent(9999, of: 10000) == "99.9%")
        #expect(Report.percent(998, of: 1000) == "99.8%")
        #expect(Report.percent(1557, of: 1557) == "100.0%")
        #expect(Report.percent(0, of: 0) == "0.0%")
    }

    @Test("failures are told with the most frequent first")
    func troubles() {
        #expect(Report.troubles(of: SampleRun.naive.total) == "http-503 × 1, timeout × 1, truncated × 1")
        #expect(Report.troubles(of: SampleRun.spillway.total) == "no failure")
    }

    @Test("runs that differ in their settings are warned of")
    func differences() {
        #expect(report.differences.isEmpty)
        #expect(!report.text.contains("warning"))
        let other = SampleRun.make(label: "spillway", allGood: true, callsDuring: 5, speed: 5)
        let mixed = Report(runs: [SampleRun.naive, other])
        #expect(mixed.differences == ["speed (10.0, 5.0)"])
        #expect(mixed.text.contains("warning: the runs differ in speed (10.0, 5.0)"))
    }

    @Test("a run whose load came late is warned of")
    func late() {
        #expect(report.warnings.isEmpty)
        let lag = RequestRecord(arrival: 0, tokens: .zero, outcome: .good, firstToken: 3, total: 4, lag: 1.5)
        let run = RunResult(
            settings: SampleRun.naive.settings, script: SampleRun.script, records: [lag], readings: [],
            stats: FleetStats(phases: [:]))
        #expect(Report(runs: [run]).warnings.first?.hasPrefix("naive: requests were sent up to 1.50 s late") == true)
    }
}
