import ArgumentParser

/// Writes the journal of an invented service, to try the other commands with.
struct SampleCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Writes the journal of an invented service, to try the other commands with.")

    @Option(help: "The same seed gives the same journal.")
    var seed: UInt64 = 1
    @Option(help: "How many calls it has, in November 2026.")
    var calls = 2_000

    func validate() throws {
        if !(1...1_000_000).contains(calls) {
            throw ValidationError("--calls is \(calls), but must be from 1 to 1000000")
        }
    }

    func text() async throws -> String {
        try SampleJournal(seed: seed).postings(calls: calls).map(JournalFile.line).joined()
    }
}
