import ArgumentParser
import CostLedger
import Foundation

/// Compares result files: a table and the bills on standard output and, when asked, a page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Compare the result files of runs.")

    /// A price as it is written: exact decimal digits, never a binary fraction.
    struct Dollars: ExpressibleByArgument, CustomStringConvertible {
        let amount: Money
        /// The price without the sign of the dollar, as it can be given.
        var description: String { String("\(amount)".dropFirst()) }

        /// A price in dollars, from 0 to the highest that a bill can be reckoned with.
        init?(argument: String) {
            guard let amount = Money(dollars: argument), amount >= .zero, amount <= TokenPrices.most else { return nil }
            self.amount = amount
        }

        init(_ amount: Money) { self.amount = amount }
    }

    @Argument(help: "Result files of `run`; the first is what the others are compared with.")
    var results: [String]
    @Option(help: "Page to write: one HTML file that needs nothing else.")
    var html: String?
    @Option(help: "Dollars for a million prompt tokens, from 0 to 1000.")
    var inputPrice = Dollars(TokenPrices.assumed.input)
    @Option(help: "Dollars for a million generated tokens, from 0 to 1000.")
    var outputPrice = Dollars(TokenPrices.assumed.output)

    /// Reads the files and reports on them.
    func run() throws {
        let prices = TokenPrices(input: inputPrice.amount, output: outputPrice.amount)
        let report = Report(runs: try results.map(RunResult.read), prices: prices)
        if let html {
            do {
                try Data(HTMLPage(report: report).text.utf8).write(to: URL(fileURLWithPath: html), options: .atomic)
            } catch {
                throw InputError("--html: cannot write '\(html)': \(error.localizedDescription)")
            }
        }
        print(report.text)
    }
}
