import ArgumentParser

/// Policies inside of each other, with the bound on all their attempts checked.
struct NestingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nesting",
        abstract: "Policies inside of each other, with the bound on all their attempts checked.",
        discussion: """
            Each seed is a nest of up to four policies with random retries, hedges, fallbacks and budgets: 100,000 of them \
            unless said otherwise. A seed that makes more attempts than its outermost budget allows ends the run.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await NestingStudy.run(seeds: options.range(standard: 100_000)))
    }
}
