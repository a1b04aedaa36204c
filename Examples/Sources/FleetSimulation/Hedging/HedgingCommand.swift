import ArgumentParser

/// Calls to a service that is slow now and then, hedged.
struct HedgingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hedging", abstract: "Calls to a service that is slow now and then, hedged.",
        discussion: """
            Compares delays under a budget of 5 % with the best that is possible, and repeats the textbook's exercise on \
            hedging; 20 seeds unless said otherwise.
            """)

    @OptionGroup var options: ScenarioOptions
    @Option(help: "Calls in a run; the first quarter is not looked at.")
    var calls = 16_000

    func validate() throws {
        try Check.that((1_000...10_000_000).contains(calls), "--calls", calls, "from 1000 to 10000000")
    }

    func run() async throws {
        var settings = HedgingSettings()
        settings.calls = calls
        try options.show(try await HedgingStudy.run(settings: settings, seeds: options.range(standard: 20)))
    }
}
