import ArgumentParser
import CostLedger
import SpillwayCore

/// What models cost, and what of a table of prices cannot be read.
struct PricesCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "What models cost, and what of a table of prices cannot be read.",
        discussion: "Rates are dollars for a million units of each meter. Without a model it counts what there is.")

    @Argument(help: "Models, by their exact names.")
    var models: [String] = []
    @Option(help: "A table of prices in LiteLLM's format; by default the prices that ship with the package.")
    var prices: String?
    @Option(help: "Rates for prompts of so many tokens.")
    var prompt = 0
    @Flag(help: "Lists each field of the table that is not taken over.")
    var unmapped = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if unmapped, prices == nil { throw ValidationError("--unmapped needs --prices") }
    }

    func text() async throws -> String {
        let table = try prices.map(PriceFile.read), book = table?.book ?? .common
        if unmapped, let table { return output.text(Self.unmapped(table)) }
        guard !models.isEmpty else { return output.text(Self.summary(book, table)) }
        return output.text(try rates(book))
    }

    private func rates(_ book: PriceBook) throws -> ReportTable {
        var found: [(name: [ReportTable.Cell], rates: Price.Rates)] = []
        for model in models {
            let prices = book.prices(of: model)
            guard !prices.isEmpty else {
                throw InputError("no price of '\(model)' in \(self.prices ?? "the common book")")
            }
            for (from, price) in prices {
                let date = from == .min ? "" : UTCTime(nanoseconds: from * 1_000_000_000).date
                for service in Price.Service.allCases {
                    guard let rates = price.rates(for: service, promptTokens: prompt) else { continue }
                    found.append(([.text(model), .text(date), .text("\(service)")], rates))
                }
            }
        }
        let meters = Usage.Meter.allCases.filter { meter in
            found.contains { ($0.rates[meter] ?? .zero) != .zero }
        }
        return ReportTable(
            ["model", "from", "service"] + meters.map { "\($0)" },
            found.map { row in row.name + meters.map { row.rates[$0].map { .money($0) } ?? .empty } })
    }

    private static func unmapped(_ table: PriceBook.Import) -> ReportTable {
        ReportTable(
            ["model", "field", "reason"],
            table.unmapped.map { [.text($0.model), .text($0.field), .text($0.reason.rawValue)] }
                + table.unpriced.map { [.text($0), .empty, .text("no price at all")] })
    }

    private static func summary(_ book: PriceBook, _ table: PriceBook.Import?) -> ReportTable {
        var rows: [[ReportTable.Cell]] = [[.text("models with a price"), .count(Int64(book.count))]]
        if let table {
            rows.append([.text("of these free, or not known to cost"), .count(Int64(table.free.count))])
            rows.append([.text("models without any price"), .count(Int64(table.unpriced.count))])
            for reason in PriceBook.Import.Reason.allCases {
                let count = table.unmapped.count { $0.reason == reason }
                rows.append([.text("fields not taken over: \(reason.rawValue)"), .count(Int64(count))])
            }
        }
        return ReportTable(["what", "count"], rows)
    }
}
