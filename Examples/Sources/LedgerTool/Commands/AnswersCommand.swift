import ArgumentParser
import CostLedger

/// What answers cost, with every retry, hedge and failure in it.
struct AnswersCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "answers", abstract: "What answers cost, with every retry, hedge and failure in it.")

    @OptionGroup var selection: Selection
    @Option(
        help: "An answer is in time when it was whole within so many seconds of its call's begin.",
        transform: Parse.seconds)
    var slo: Duration = .seconds(8)
    @Option(help: "One group for each: tenant, project, key, user, model, provider, session or tag.")
    var by: Scope.Kind?
    @OptionGroup var output: OutputOptions

    func text() async throws -> String {
        output.text(try await selection.whole(AnswerCosts(within: slo, by: by, period: selection.period)).table)
    }
}
