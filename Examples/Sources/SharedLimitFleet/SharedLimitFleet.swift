import ArgumentParser

/// Processes that share one limit through a server which is killed and started again under them.
@main
struct SharedLimitFleet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Processes that share one limit through a server which is killed and started again under them.",
        subcommands: [RateCommand.self, MoneyCommand.self, WorkCommand.self], defaultSubcommand: RateCommand.self)
}
