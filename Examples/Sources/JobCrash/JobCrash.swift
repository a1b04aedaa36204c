import ArgumentParser

/// Kills processes that share a queue of jobs, at random moments, and looks at what is left.
@main
struct JobCrash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Kills processes that share a queue of jobs, at random moments, and looks at what is left.",
        subcommands: [RoundsCommand.self, WorkCommand.self], defaultSubcommand: RoundsCommand.self)
}
