import ArgumentParser
import Foundation

/// Reports on what calls have cost, from the file of a ledger or from a journal.
@main
struct LedgerTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger",
        abstract: "Reports on what calls have cost, from the file of a ledger or from a journal.",
        subcommands: [
            SpendCommand.self, AnswersCommand.self, BurnCommand.self, RepriceCommand.self, ReconcileCommand.self,
            SuspenseCommand.self, PricesCommand.self, ExportCommand.self, SampleCommand.self,
        ]
    )

    /// Ends with one line on standard error and 64 for a command that makes no sense, 1 for a file that makes none.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard let complaint = complaint(about: error) else { exit(withError: error) }
            FileHandle.standardError.write(Data("ledger: \(complaint)\n".utf8))
            Foundation.exit(exitCode(for: error).rawValue)
        }
    }

    /// What is wrong, in one line; nil when nothing is, as with a request for help.
    static func complaint(about error: any Error) -> String? {
        guard exitCode(for: error) != .success else { return nil }
        // Choices come as a list.
        return message(for: error).replacingOccurrences(of: "\n  - ", with: " ").split(whereSeparator: \.isNewline)
            .joined(separator: " ")
    }
}

/// A command whose answer is a text on standard output.
protocol TextCommand: AsyncParsableCommand {
    /// The text, with its last line end.
    func text() async throws -> String
}

extension TextCommand {
    func run() async throws { FileHandle.standardOutput.write(Data(try await text().utf8)) }
}
