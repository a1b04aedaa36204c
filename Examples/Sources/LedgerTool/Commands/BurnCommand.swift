import ArgumentParser
import CostLedger
import Foundation

/// How fast money is spent, and when a limit will be reached.
struct BurnCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "burn", abstract: "How fast money is spent, and when a limit will be reached.")

    @Argument(help: "The file of a ledger, or a journal.")
    var file: String
    @Option(help: "Whose money, such as tenant:acme; by default everybody's.", transform: Parse.scope)
    var scope: [Scope] = []
    @Option(help: "Dollars that must not be passed.", transform: Parse.money)
    var limit: Money?
    @Option(help: "The window of the limit: hour, day, week, month or year, in UTC.")
    var per: Span = .month
    @Option(help: "The day or time up to which it is looked at; now by default.", transform: Parse.time)
    var at: Int64?
    @Option(help: "The rate is that of the last so many seconds.", transform: Parse.seconds)
    var trailing: Duration = .seconds(86_400)
    @Option(help: "Draws it into this SVG file.")
    var drawing: String?
    @OptionGroup var output: OutputOptions

    func text() async throws -> String {
        let now = at ?? Int64(Date().timeIntervalSince1970 * 1e9)
        var burn = BurnDown(over: per.window.period(at: now), at: now, trailing: trailing, limit: limit)
        try await PostingFile.open(file).read { posting in
            if scope.allSatisfy(posting.scopes.contains) { burn.add(posting) }
        }
        if let drawing {
            do {
                try Data(BurnDrawing(burn, title: title, limit: limit).svg.utf8).write(
                    to: URL(fileURLWithPath: drawing))
            } catch {
                throw InputError("\(drawing) cannot be written: \(error.localizedDescription)")
            }
        }
        return output.format == .table ? summary(burn) : output.text(burn.table)
    }

    private var title: String { scope.isEmpty ? "all" : scope.map(\.description).joined(separator: ", ") }

    private func summary(_ burn: BurnDown) -> String {
        func time(_ time: Int64) -> String { UTCTime(nanoseconds: time).description }
        let end = time(burn.period.upperBound)
        var lines = [
            "\(title): \(per) from \(time(burn.period.lowerBound)) to \(end), at \(time(burn.now))",
            "taken     \(burn.taken.rounded(2))" + (limit.map { " of \($0.rounded(2))" } ?? ""),
            "an hour   \(burn.perHour.rounded(4)) in the last \(trailing)",
            "forecast  \(burn.forecast.rounded(2)) at the end",
        ]
        if limit != nil {
            lines.append(
                burn.reached.map { $0 == burn.now ? "limit     reached" : "limit     reached at \(time($0))" }
                    ?? "limit     not reached before \(end)")
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
