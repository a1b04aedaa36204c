import ArgumentParser

/// Calls under random faults and cancellations, in random order, with every promise checked.
struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Calls under random faults and cancellations, in random order, with every promise checked.",
        discussion: """
            Each seed is one schedule of a production policy: 100,000 of them unless said otherwise. A seed that breaks a \
            promise ends the run with its faults, shrunk; SPILLWAY_SEED=seed plays it alone.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await ScheduleStudy.run(seeds: options.range(standard: 100_000)))
    }
}
