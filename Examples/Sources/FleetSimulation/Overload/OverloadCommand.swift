import ArgumentParser

/// A fleet of inference engines that is asked more than it can serve.
struct OverloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overload", abstract: "A fleet of inference engines that is asked more than it can serve.",
        discussion: """
            Compares limits on calls in flight, fixed and adaptive ones, this package's and others', by the answers that come \
            within a goal for the first token and the tokens a second, at loads from 0.5 to 5 times what the fleet can serve; \
            6 seeds unless said otherwise.
            """)

    @OptionGroup var options: ScenarioOptions

    func run() async throws {
        let settings = OverloadEngine.allCases.map { OverloadSettings(engine: $0) }
        try options.show(try await OverloadStudy.run(settings: settings, seeds: options.range(standard: 6)))
    }
}
