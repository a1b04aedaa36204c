import ArgumentParser

/// Kills a process that keeps a ledger, at random moments, and looks at what is left.
@main
struct LedgerCrash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Kills a process that keeps a ledger, at random moments, and looks at what is left.",
        subcommands: [RoundsCommand.self, WorkCommand.self], defaultSubcommand: RoundsCommand.self)
}
