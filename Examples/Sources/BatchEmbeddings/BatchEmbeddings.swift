import ArgumentParser
import AsyncHTTPClient
import Foundation
import SpillwayHTTPClient

/// Takes a folder of text through an embedding model, as fast as that can take it, and goes on where it was killed.
@main
struct BatchEmbeddings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes a folder of text through an embedding model, as fast as that can take it.",
        discussion: """
            Start it again after a kill or an interruption: what was embedded is not sent again. Exits with 0 when all is done, \
            2 when the endpoint refused some passages, 75 when it makes sense to start it again later, 130 when it was \
            interrupted, 64 for options that make no sense, else 1.
            """)

    @OptionGroup var options: Options

    /// Runs, and writes the report to standard output.
    func run() async throws {
        let job = try options.job(), terminal = Terminal(interval: .seconds(options.progressInterval))
        let http = HTTPClient(configuration: .underPolicy)
        let outcome: Result<RunReport, any Error>
        do {
            outcome = .success(
                try await withInterrupts {
                    try await job.run(http: http, note: terminal.note) { await terminal.show($0) }
                })
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        let report = try outcome.get()
        FileHandle.standardOutput.write(Data(report.text.utf8))
        if let ending = report.ending { throw ExitCode(ending.exitCode) }
        if report.counts.failed > 0 { throw ExitCode(2) }
    }
}
