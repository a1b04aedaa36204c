import ArgumentParser
import CostLedger

/// What is held, or lies in suspense because nobody knows how the attempt ended.
struct SuspenseCommand: TextCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspense",
        abstract: "What is held, or lies in suspense because nobody knows how the attempt ended.")

    @OptionGroup var selection: Selection
    @OptionGroup var output: OutputOptions

    func text() async throws -> String { output.text(try await selection.report(SuspenseReport()).table) }
}

/// The holds that were neither settled nor voided, the oldest first.
struct SuspenseReport: LedgerReport {
    private var open: [UInt64: Posting] = [:]
    private var ended: Set<UInt64> = []

    mutating func add(_ posting: Posting) {
        switch posting.kind {
        case .saved: break
        case .settled, .voided:
            ended.insert(posting.number)
            open[posting.number] = nil
        case .held, .suspended:
            let isOlder = posting.kind == .held && open[posting.number] != nil
            if !isOlder, !ended.contains(posting.number) { open[posting.number] = posting }
        }
    }

    var table: ReportTable {
        let holds = open.values.sorted { ($0.began, $0.number) < ($1.began, $1.number) }
        let rows = holds.map { posting -> [ReportTable.Cell] in
            [
                .text(UTCTime(nanoseconds: posting.began).description), .text("\(posting.kind)"),
                .count(Int64(posting.number)), .count(Int64(posting.operation)), .count(Int64(posting.attempt)),
                .money(posting.held), .text(posting.scopes.map(\.description).joined(separator: " ")),
            ]
        }
        return ReportTable(["began", "state", "number", "operation", "attempt", "held", "scopes"], rows)
    }
}
