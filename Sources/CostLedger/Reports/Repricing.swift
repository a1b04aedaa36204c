internal import SpillwayCore

/// What settled attempts would have cost under another book of prices, by model.
///
/// An attempt's model is its first scope of that kind, and its price that of the time when it began. A posting does not say
/// which service was asked for, so all are priced for one. What cannot be priced anew is counted apart, never as nothing.
public struct Repricing: LedgerReport {
    /// The attempts of one model.
    public struct Row: Sendable, Hashable {
        /// The model; nil for attempts that name none, and for the total.
        public internal(set) var model: String?
        /// Attempts that could be priced anew.
        public internal(set) var attempts = 0
        /// What these have cost.
        public internal(set) var booked = Money.zero
        /// What these would have cost.
        public internal(set) var repriced = Money.zero
        /// Attempts that do not say what they used.
        public internal(set) var withoutUsage = 0
        /// What these have cost.
        public internal(set) var withoutUsageCost = Money.zero
        /// Attempts for which the book has no price.
        public internal(set) var unpriced = 0
        /// What these have cost.
        public internal(set) var unpricedCost = Money.zero
        /// Why the first of these has none.
        public internal(set) var reason: Unpriced?

        /// How much more it would have cost.
        public var difference: Money { repriced - booked }
    }

    private let book: PriceBook
    private let service: Price.Service
    private var sums: [String?: Row] = [:]

    /// A report on attempts under `book`, as if all had been made for `service`, the standard one by default.
    public init(under book: PriceBook, service: Price.Service = .standard) {
        self.book = book
        self.service = service
    }

    /// Takes one more posting into account.
    public mutating func add(_ posting: Posting) {
        guard posting.kind == .settled else { return }
        let model = posting.model
        var row = sums[model] ?? Row(model: model)
        if let usage = posting.usage {
            do throws(Unpriced) {
                row.repriced += try cost(of: usage, model, at: posting.began)
                row.booked += posting.cost
                row.attempts += 1
            } catch {
                row.unpriced += 1
                row.unpricedCost += posting.cost
                row.reason = row.reason ?? error
            }
        } else {
            row.withoutUsage += 1
            row.withoutUsageCost += posting.cost
        }
        sums[model] = row
    }

    private func cost(of usage: Usage, _ model: String?, at time: Int64) throws(Unpriced) -> Money {
        guard let price = model.flatMap({ book.price(of: $0, at: time / 1_000_000_000) }) else { throw .model }
        return try price.cost(of: usage, service: service)
    }

    /// A row for each model, the largest difference first.
    public var rows: [Row] {
        sums.values.sorted { left, right in
            let (mine, other) = (left.difference.nanodollars.magnitude, right.difference.nanodollars.magnitude)
            return mine != other ? mine > other : (left.model ?? "") < (right.model ?? "")
        }
    }

    /// All models together.
    public var total: Row {
        sums.values.reduce(into: Row()) { sum, row in
            sum.attempts += row.attempts
            sum.booked += row.booked
            sum.repriced += row.repriced
            sum.withoutUsage += row.withoutUsage
            sum.withoutUsageCost += row.withoutUsageCost
            sum.unpriced += row.unpriced
            sum.unpricedCost += row.unpricedCost
        }
    }

    /// A row for each of ``rows``, and one for the total.
    public var table: ReportTable {
        func cells(_ name: ReportTable.Cell, _ row: Row) -> [ReportTable.Cell] {
            [
                name, .init(row.attempts), .money(row.booked), .money(row.repriced), .money(row.difference),
                .init(row.withoutUsage), .money(row.withoutUsageCost), .init(row.unpriced), .money(row.unpricedCost),
                .init(row.reason?.text),
            ]
        }
        return ReportTable(
            [
                "model", "attempts", "booked", "repriced", "difference", "without_usage", "without_usage_cost",
                "unpriced",
                "unpriced_cost", "reason",
            ], rows.map { cells(.init($0.model), $0) } + [cells(.text("total"), total)])
    }
}

extension Unpriced {
    /// For a column.
    fileprivate var text: String {
        switch self {
        case .model: "no such model"
        case .meter(let meter): "no price of \(meter.column)"
        case .service(let service): "no \(service) prices"
        case .tooLarge: "too large"
        }
    }
}
