import ArgumentParser

/// Half the fleet falls sick, and failed calls are tried again.
struct RetryStormCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry-storm", abstract: "Half the fleet falls sick, and failed calls are tried again.",
        discussion: "Plays each policy against the same fleet and the same chance; 100 seeds unless said otherwise.")

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await StormStudy.run(seeds: options.range(standard: 100)))
    }
}
