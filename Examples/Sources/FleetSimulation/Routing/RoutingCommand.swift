import ArgumentParser

/// A recorded load on a fleet of engines that keep prompts, by each rule that says where a call goes.
struct RoutingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routing",
        abstract: "Which engine a call goes to: a recorded load on a fleet that keeps the beginnings of prompts.",
        discussion: """
            Plays a trace by each rule with the fleet that services use (Fleet of GPUClient) and engines that are simulated; \
            the rules of others are as they publish them. The trace is lines of JSON with timestamp (ms), input_length, \
            output_length and hash_ids for blocks of 512 tokens, as Mooncake's, or a CSV as Azure's, of which nobody knows \
            what prompts share. It is played faster or slower so that it asks for --load of what the fleet can serve. 1 seed \
            unless said otherwise.
            """)

    @OptionGroup var options: ScenarioOptions
    @OptionGroup var fleet: RoutingOptions

    func run() async throws {
        let trace = try RoutingTrace(path: fleet.trace)
        try options.show(
            try await RoutingStudy.run(trace, fleet.settings, fleet.rules(), seeds: options.range(standard: 1)))
    }
}
