import ArgumentParser

/// Tenants that share a fleet, one of which asks for far more than its share.
struct FairnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fairness",
        abstract: "Tenants that share a fleet, one of which asks for far more than its share.",
        discussion: """
            Ten tenants ask a fleet of two replicas through the production policies: one for ten times its share and nine for \
            half of theirs; then all for three times theirs, half of them with long prompts, which fill the replicas' memory, \
            and half with short ones.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await FairnessStudy.run(seeds: options.range(standard: 20)))
    }
}
