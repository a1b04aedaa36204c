import ArgumentParser

/// Replays a production trace against a gateway under scripted faults, and reports on the runs.
@main
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replays a production trace against a gateway under scripted faults, and reports on the runs.",
        subcommands: [RunCommand.self, ReportCommand.self]
    )
}
