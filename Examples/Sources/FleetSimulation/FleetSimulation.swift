import ArgumentParser

/// Simulates a fleet of replicas that fail, from seeds: the same seeds give the same output.
@main
struct FleetSimulation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Simulates a fleet of replicas that fail, from seeds: the same seeds give the same output.",
        subcommands: [
            HedgingCommand.self, NestingCommand.self, RedundancyCommand.self, RetryStormCommand.self,
            SchedulesCommand.self, SpendingCommand.self,
        ]
    )
}
