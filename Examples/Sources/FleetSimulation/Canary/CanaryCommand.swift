import ArgumentParser

/// A new model that gets a share of the calls, and is rolled back when it is worse.
struct CanaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "canary",
        abstract: "A new model that gets a share of the calls, and is rolled back when it is worse.",
        discussion: """
            Each seed is a stream of calls of which one in twenty goes to a new model through the production rollout: 10,000 \
            of them unless said otherwise. Where the new model is not worse by more than it may be, rollbacks are false \
            alarms; where it is, calls are counted until it is rolled back.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await CanaryStudy.run(seeds: options.range(standard: 10_000)))
    }
}
