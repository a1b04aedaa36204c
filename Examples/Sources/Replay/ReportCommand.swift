import ArgumentParser
import Foundation

/// Compares result files: a table on standard output and, when asked, a page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Compare the result files of runs.")

    @Argument(help: "Result files of `run`; the first is what the others are compared with.")
    var results: [String]
    @Option(help: "Page to write: one HTML file that needs nothing else.")
    var html: String?

    /// Reads the files and reports on them.
    func run() throws {
        let report = Report(runs: try results.map(RunResult.read))
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
