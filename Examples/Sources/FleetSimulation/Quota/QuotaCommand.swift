import ArgumentParser

/// Callers who always want more than a provider's quota allows.
struct QuotaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract:
            "Callers who always want more than a provider's quota allows: 429s, and how much of the quota is used.",
        discussion: """
            Each seed is 64 callers for twelve minutes at a provider that limits requests and tokens a minute, once with a client that \
            only retries and once with a quota in front of it, in nine cases: 10 seeds unless said otherwise.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        try options.show(try await QuotaStudy.run(seeds: options.range(standard: 10)))
    }
}
