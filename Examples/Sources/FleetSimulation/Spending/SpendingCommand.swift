import ArgumentParser

/// Callers that spend from the same budgets at once, with crashes, and everything checked.
struct SpendingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spending",
        abstract: "Callers that spend from the same budgets at once, with crashes, and every limit checked.",
        discussion: """
            Each seed is 64 callers that hold and settle random amounts under three limits, go away at any await, cost now and \
            then more than they held, on a disk that refuses now and then, in a service that crashes up to three times: 100,000 \
            seeds unless said otherwise. A limit that is passed, a posting that is lost or there twice, or books that do not add \
            up end the run.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await SpendingStudy.run(seeds: options.range(standard: 100_000)))
    }
}
