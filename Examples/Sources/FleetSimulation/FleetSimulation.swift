import ArgumentParser

/// Simulates a fleet of replicas that fail, from seeds: the same seeds give the same output.
@main
struct FleetSimulation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Simulates a fleet of replicas that fail, from seeds: the same seeds give the same output.",
        subcommands: [
            CanaryCommand.self, FairnessCommand.self, HedgingCommand.self, LadderCommand.self, NestingCommand.self,
            OverloadCommand.self, OvershootCommand.self, QuotaCommand.self, RedundancyCommand.self,
            RetryStormCommand.self, RoutingCommand.self, SchedulesCommand.self, SpendingCommand.self,
        ]
    )
}
