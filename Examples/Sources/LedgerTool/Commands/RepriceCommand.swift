import ArgumentParser
import CostLedger

/// What calls would have cost under other prices.
struct RepriceCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "reprice", abstract: "What calls would have cost under other prices.")

    @OptionGroup var selection: Selection
    @Option(help: "A table of prices in LiteLLM's format; by default the prices that ship with the package.")
    var prices: String?
    @Option(help: "As if all had been made for this service: standard, batch, flex or priority.")
    var service: Price.Service = .standard
    @OptionGroup var output: OutputOptions

    func text() async throws -> String {
        let book = try prices.map { try PriceFile.read($0).book } ?? .common
        return output.text(try await selection.report(Repricing(under: book, service: service)).table)
    }
}
