import ArgumentParser

/// Replicas fail at random, and spares stand in for them.
struct RedundancyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redundancy", abstract: "Replicas fail at random, and spares stand in for them.",
        discussion: "Compares runs with what the planner computes; 30 seeds unless said otherwise.")

    @OptionGroup var options: ScenarioOptions
    @OptionGroup var fleet: RedundancyOptions

    func run() async throws {
        try options.show(try await RedundancyStudy.run(fleet, seeds: options.range(standard: 30)))
    }
}
