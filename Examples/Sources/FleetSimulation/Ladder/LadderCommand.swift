import ArgumentParser
import Foundation

/// An hour of a recorded load in which the best model fails and the money runs out.
struct LadderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ladder",
        abstract: "An hour of recorded load: the best model fails for 20 minutes, and the money runs out at minute 50.",
        discussion: """
            Each seed plays the hour three times: with retries at one model, from model to model, and down a ladder of a best \
            and a compact model, retrieval, a cache and jobs for later. How the model fails (it is gone, it hangs, it answers \
            errors), the seed says. What all calls together may cost is what the ladder has spent by minute 50 where nothing \
            limits it. 5 seeds unless said otherwise; the trace is Azure's, see Examples/Data/README.md.
            """)

    @OptionGroup var options: ScenarioOptions
    @Option(help: "The recorded load, as CSV of the Azure LLM inference traces.")
    var trace = "Examples/Data/azure-conversation.csv"

    func run() async throws {
        let settings = LadderSettings(), trace = try LadderTrace(path: trace).prefix(seconds: settings.seconds)
        try options.show(try await LadderStudy.run(trace, settings, seeds: options.range(standard: 5)))
    }
}
