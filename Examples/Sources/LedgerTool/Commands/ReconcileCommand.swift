import ArgumentParser
import CostLedger

/// Where the books and a provider's invoice do not agree.
struct ReconcileCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Where the books and a provider's invoice do not agree.",
        discussion: "Without --from and --to, the days from the invoice's first to its last are compared.")

    @OptionGroup var selection: Selection
    @Option(help: "The invoice: comma-separated values with a header.")
    var invoice: String
    @Option(help: "Dollars by which a day of a model may be off.", transform: Parse.money)
    var tolerance: Money = .cents(1)
    @Option(help: "The column with days such as 2026-11-21, in UTC.")
    var dateColumn = "date"
    @Option(help: "The column with models.")
    var modelColumn = "model"
    @Option(help: "The column with dollars.")
    var amountColumn = "amount"
    @Option(help: "The column with tokens, if there is one.")
    var tokensColumn: String?
    @OptionGroup var output: OutputOptions

    func text() async throws -> String {
        var columns = Invoice.Columns()
        (columns.date, columns.model) = (dateColumn, modelColumn)
        (columns.amount, columns.tokens) = (amountColumn, tokensColumn)
        let data = try InputFile.read(invoice), read: Invoice
        do { read = try Invoice(csv: data, columns: columns) } catch { throw InputError("\(invoice): \(error)") }
        let isWhole = selection.from == nil && selection.to == nil
        let report = Reconciliation(read, tolerance: tolerance, period: isWhole ? nil : selection.period)
        return output.text(try await selection.whole(report).table)
    }
}
