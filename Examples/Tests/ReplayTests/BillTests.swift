import CostLedger
import Foundation
import Testing

@testable import Replay

@Suite("Bills")
struct BillTests {
    private let naive = SampleRun.naive
    private let spillway = SampleRun.spillway

    private func bill(_ run: RunResult, _ input: String = "0.10", _ output: String = "0.30") throws -> RunBill {
        let prices = try TokenPrices(input: #require(Money(dollars: input)), output: #require(Money(dollars: output)))
        return try #require(RunBill(of: run, prices: prices))
    }

    /// A run of twelve good answers, eight of them in the target.
    private func run(_ replicas: [FleetStats.Replica]?) -> RunResult {
        SampleRun.make(label: "x", allGood: true, callsDuring: 5, replicas: replicas)
    }

    @Test("all that the replicas worked on is charged, and what is in no whole answer was wasted")
    func figures() throws {
        let bill = try bill(naive)
        // 14,000 prompt tokens at 100 nano-dollars and 1,600 generated ones at 300.
        #expect(bill.total == Money(nanodollars: 1_880_000))
        // Nine good answers of 1,000 and 100 tokens.
        #expect(bill.useful == Money(nanodollars: 1_170_000))
        #expect(bill.wasted == Money(nanodollars: 710_000))
        #expect(bill.tenthsWasted == 378)
        #expect(bill.perAnswer == Money(nanodollars: 376_000))
    }

    @Test("only whole answers are useful, however many tokens a broken one brought")
    func onlyGood() throws {
        #expect(naive.work?.answers == Tokens(prompt: 9000, generated: 900))
        #expect(spillway.work?.answers == Tokens(prompt: 12000, generated: 1200))
    }

    @Test(
        "the total is the sum over the replicas, and of what was useful and what was wasted, at any price",
        arguments: [("0.10", "0.30"), ("0.0375", "0.1234567"), ("0.000000001", "3e-9"), ("0", "0"), ("1000", "1000")])
    func addsUp(input: String, output: String) throws {
        let odd = run((1...8).map { SampleRun.worked(1501 * $0, 151 * $0) })
        for run in [naive, spillway, odd] {
            let bill = try bill(run, input, output)
            #expect(bill.total == bill.replicas.reduce(.zero, +))
            #expect(bill.total == bill.useful + bill.wasted)
            #expect(bill.wasted >= .zero)
        }
    }

    @Test("what is rounded replica by replica cannot make waste negative")
    func rounding() throws {
        // Each replica's 4,000 tokens cost 0.4 nano-dollars, which is none; all 12,000 of them cost one.
        let bill = try bill(run([SampleRun.worked(4000, 400), .worked4, .worked4]), "0.0000001", "0")
        #expect(bill.total == .zero)
        #expect(bill.useful == .zero)
        #expect(bill.wasted == .zero)
        #expect(bill.tenthsWasted == nil)
    }

    @Test("an answer's price is compared without rounding, and the comparison never flatters")
    func comparison() throws {
        let (first, second) = (try bill(naive), try bill(spillway))
        // $0.000209375 against $0.000376 is 44.31 % less; the other way round 79.58 % more.
        #expect(second.tenthsCheaper(than: first) == 443)
        #expect(first.tenthsCheaper(than: second) == -796)
        #expect(first.tenthsCheaper(than: first) == 0)
        let free = try bill(naive, "0", "0")
        #expect(first.tenthsCheaper(than: free) == nil)
        #expect(free.tenthsCheaper(than: first) == 1000)
    }

    @Test("without an answer in the target there is no price of one")
    func noAnswer() throws {
        let records = [RequestRecord(arrival: 0, tokens: .zero, outcome: .truncated, firstToken: 1, total: 4, lag: 0)]
        let run = RunResult(
            settings: naive.settings, script: SampleRun.script, records: records, readings: [],
            stats: FleetStats(phases: [:], replicas: [SampleRun.worked(50, 5)]))
        let bill = try bill(run)
        #expect(bill.perAnswer == nil)
        #expect(bill.wasted == bill.total)
        #expect(bill.tenthsWasted == 1000)
        let other = try self.bill(naive)
        #expect(bill.tenthsCheaper(than: other) == nil)
        #expect(other.tenthsCheaper(than: bill) == nil)
        let report = Report(runs: [run, naive])
        #expect(report.billRows[0].suffix(3) == ["0", "–", "–"])
        #expect(report.billRows[1].last == "–")
    }

    @Test(
        "a fleet that does not count tokens, or not all of them, leaves the bill unknown",
        arguments: [
            nil, [], [SampleRun.worked(6000, nil), .worked4], [SampleRun.worked(nil, 700), .worked4],
            [SampleRun.worked(-1, 0)], [SampleRun.worked(.max, 0), SampleRun.worked(.max, 0)],
        ])
    func unknown(replicas: [FleetStats.Replica]?) {
        let run = run(replicas)
        #expect(run.work == nil)
        let report = Report(runs: [naive, run])
        #expect(report.billRows[1] == ["x"] + [String](repeating: "not known", count: 9))
        #expect(report.warnings == ["x: its result does not say what the replicas worked on"])
        #expect(report.lastLine.hasSuffix("cost=unknown per-answer=unknown"))
    }

    @Test("more tokens in answers than the replicas worked on make no bill, and are told")
    func cached() {
        let run = run([SampleRun.worked(11_999, 1200)])
        #expect(RunBill(of: run, prices: .assumed) == nil)
        #expect(Report(runs: [run]).warnings.first?.contains("users got more tokens than") == true)
    }

    @Test("calls that were not over when the counts were read are told")
    func unfinished() {
        let busy = FleetStats.Replica(promptTokens: 12_000, generatedTokens: 1200, running: 2, waiting: 1)
        let report = Report(runs: [run([busy, .init(promptTokens: 0, generatedTokens: 0)])])
        #expect(report.warnings.first?.contains("still at 3 calls") == true)
        #expect(FleetStats(phases: [:], replicas: [.init(running: .max, waiting: -1), busy]).unfinished == 1_000_003)
    }

    @Test("the terminal's table has one row for each run")
    func table() {
        let report = Report(runs: [naive, spillway])
        let lines = report.billTable.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(Set(lines.map(\.count)).count == 1)
        #expect(lines[0].hasSuffix("against naive"))
        let words = report.billRows[1]
        #expect(
            words == [
                "spillway", "13,000", "1,250", "$0.001675", "$0.00156", "$0.000115", "6.9%", "8", "$0.000209375",
                "44.3% less",
            ])
        #expect(report.text.contains(report.billTable + "\n" + report.billLegend + "\n"))
        #expect(Report(runs: [spillway, naive]).billRows[1].last == "79.6% more")
        #expect([0, 999, 1000, 1_234_567].map(Report.grouped) == ["0", "999", "1,000", "1,234,567"])
    }

    @Test("the prices are told, and that the default ones are assumed")
    func prices() throws {
        let assumed = Report(runs: [naive]).billLegend
        #expect(assumed.contains("$0.10 a million prompt tokens, $0.30 a million generated tokens: an assumption"))
        let given = Report(runs: [naive], prices: .init(input: .cents(5), output: .cents(30))).billLegend
        #expect(given.contains("$0.05 a million prompt tokens"))
        #expect(!given.contains("assumption"))
    }

    @Test("prices are exact decimals")
    func flags() throws {
        let command = try ReportCommand.parse(["a.json"])
        #expect(TokenPrices(input: command.inputPrice.amount, output: command.outputPrice.amount) == .assumed)
        let odd = try ReportCommand.parse(["a.json", "--input-price", "0.0375", "--output-price=1e-9"])
        #expect(odd.inputPrice.amount == Money(nanodollars: 37_500_000))
        #expect(odd.outputPrice.amount == Money(nanodollars: 1))
        #expect(ReportCommand.helpMessage().contains("(default: 0.10)"))
    }

    @Test("a bad price is named with its flag", arguments: ["-1", "$1", "", "0.0000000001", "1000.01", "nan", "0,10"])
    func badPrice(value: String) throws {
        for flag in ["--input-price", "--output-price"] {
            let error = try #require(throws: (any Error).self) {
                try ReportCommand.parse(["a.json", "\(flag)=\(value)"])
            }
            #expect(ReportCommand.message(for: error).contains(flag))
        }
    }
}

extension FleetStats.Replica {
    /// An idle replica that read 4,000 tokens and generated 400.
    fileprivate static let worked4 = SampleRun.worked(4000, 400)
}
