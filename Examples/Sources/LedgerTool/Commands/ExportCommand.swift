import ArgumentParser
import CostLedger

/// Writes postings as a journal, which every command reads.
struct ExportCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes postings as a journal, one a line in JSON, which every command reads.")

    @OptionGroup var selection: Selection

    func text() async throws -> String {
        var lines: [String] = []
        let period = selection.period, scopes = selection.scope
        try await PostingFile.open(selection.file).read { posting in
            guard period.contains(posting.began), scopes.allSatisfy(posting.scopes.contains) else { return }
            lines.append(try JournalFile.line(posting))
        }
        return lines.joined()
    }
}
