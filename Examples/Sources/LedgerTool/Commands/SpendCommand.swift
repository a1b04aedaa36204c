import ArgumentParser
import CostLedger

/// What was spent, by scope and window.
struct SpendCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "spend", abstract: "What was spent, by scope and window.",
        discussion: "A table leaves out columns that are zero throughout; csv and tsv have all.")

    @OptionGroup var selection: Selection
    @Option(help: "One group for each: tenant, project, key, user, model, provider, session or tag.")
    var by: Scope.Kind?
    @Option(help: "One row for each hour, day, week, month or year, in UTC.")
    var per: Span?
    @OptionGroup var output: OutputOptions

    func text() async throws -> String {
        let table = try await selection.report(Statement(by: by, per: per?.window ?? .total)).table
        return output.text(output.format == .table ? table.withoutZeros : table)
    }
}
