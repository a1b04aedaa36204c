internal import SpillwayCore

/// The books beside a provider's invoice, by day and model.
///
/// Give it the postings that the provider bills, such as those of one ``Scope/provider(_:)``. A posting belongs to the day in
/// which it began, and to its first model.
public struct Reconciliation: LedgerReport {
    /// One model on one day.
    public struct Row: Sendable, Hashable {
        /// The day's first nanosecond since 1970.
        public let day: Int64
        /// The model; nil for postings that name none.
        public let model: String?
        /// What the invoice says; nil: nothing.
        public internal(set) var invoiced: Money?
        /// What settled attempts cost; nil: there is none.
        public internal(set) var booked: Money?
        /// What of it is not by the provider's own figures, and so the first to look at.
        public internal(set) var uncertain = Money.zero
        /// Tokens on the invoice, if it says.
        public internal(set) var invoicedTokens: Int64?
        /// Tokens in the books.
        public internal(set) var bookedTokens: Int64 = 0

        /// How much more the invoice says.
        public var difference: Money { (invoiced ?? .zero) - (booked ?? .zero) }
    }

    private struct Place: Hashable {
        var day: Int64
        var model: String?
    }

    /// Rows that the invoice has and nobody could read; they are in no sum.
    public let malformed: [Invoice.Malformed]
    /// What days are compared, in nanoseconds since 1970; others are passed over.
    public let period: Range<Int64>
    private let tolerance: Money
    private var sums: [Place: Row] = [:]

    /// Compares the books with `invoice`.
    ///
    /// - Parameters:
    ///   - invoice: What the provider says.
    ///   - tolerance: How far a day of a model may be off, either way; a cent by default.
    ///   - period: What days are compared, in nanoseconds since 1970; by default all from the invoice's first to its last.
    public init(_ invoice: Invoice, tolerance: Money = .cents(1), period: Range<Int64>? = nil) {
        malformed = invoice.malformed
        self.tolerance = tolerance
        let days = invoice.lines.lazy.map(\.day)
        let billed = (days.min() ?? 0)..<Window.day.bounds(at: days.max() ?? -1).end
        self.period = period ?? billed
        for line in invoice.lines where self.period.contains(line.day) {
            let place = Place(day: line.day, model: line.model)
            var row = sums[place] ?? Row(day: line.day, model: line.model)
            row.invoiced = (row.invoiced ?? .zero) + line.amount
            if let tokens = line.tokens { row.invoicedTokens = (row.invoicedTokens ?? 0) &+ tokens }
            sums[place] = row
        }
    }

    /// Takes one more posting into account.
    public mutating func add(_ posting: Posting) {
        guard posting.kind == .settled, period.contains(posting.began) else { return }
        let place = Place(day: Window.day.bounds(at: posting.began).start, model: posting.model)
        var row = sums[place] ?? Row(day: place.day, model: place.model)
        row.booked = (row.booked ?? .zero) + posting.cost
        if posting.source != .provider { row.uncertain += posting.cost }
        row.bookedTokens &+= Int64(posting.usage?.tokens ?? 0)
        sums[place] = row
    }

    /// All days and models, in order.
    public var rows: [Row] {
        sums.values.sorted { ($0.day, $0.model ?? "") < ($1.day, $1.model ?? "") }
    }

    /// Rows that are off by more than the tolerance, or on one side alone with more than nothing.
    public var differences: [Row] {
        rows.filter { row in
            if row.invoiced == nil || row.booked == nil { return row.difference != .zero }
            return row.difference.nanodollars.magnitude > UInt64(max(0, tolerance.nanodollars))
        }
    }

    /// What the invoice and the books say in all.
    public var total: (invoiced: Money, booked: Money) {
        sums.values.reduce((.zero, .zero)) { ($0.0 + ($1.invoiced ?? .zero), $0.1 + ($1.booked ?? .zero)) }
    }

    /// A row for each of ``differences``, one for the total of all, and one for each row that could not be read.
    public var table: ReportTable {
        let total = total
        let off = differences.map { row -> [ReportTable.Cell] in
            let note = row.invoiced == nil ? "only in the books" : row.booked == nil ? "only on the invoice" : "differs"
            return [
                .text(UTCTime(nanoseconds: row.day).date), .init(row.model), .init(row.invoiced), .init(row.booked),
                .money(row.difference), .money(row.uncertain), .init(row.invoicedTokens), .count(row.bookedTokens),
                .text(note),
            ]
        }
        let sum: [ReportTable.Cell] = [
            .text("total"), .empty, .money(total.invoiced), .money(total.booked), .money(total.invoiced - total.booked),
            .money(sums.values.reduce(.zero) { $0 + $1.uncertain }), .empty, .empty,
            .text("\(sums.count) rows, \(off.count) off"),
        ]
        let unread = malformed.map { row -> [ReportTable.Cell] in
            [.text("line \(row.line)")] + Array(repeating: .empty, count: 7) + [.text(row.reason)]
        }
        return ReportTable(
            [
                "date", "model", "invoiced", "booked", "difference", "uncertain", "invoiced_tokens", "booked_tokens",
                "note",
            ], off + [sum] + unread)
    }
}
