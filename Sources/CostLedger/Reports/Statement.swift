internal import SpillwayCore

/// What was spent, by scope and window.
///
/// ```swift
/// var statement = Statement(by: .tenant, per: .day)
/// statement.add(contentsOf: postings)
/// for row in statement.rows { print(row.group ?? "nobody", row.spend.cost) }
/// ```
///
/// Memory goes with rows and holds under way, and a byte or so for each hold, and for each operation in each of its rows.
public struct Statement: LedgerReport {
    /// What was spent for one group in one window.
    public struct Row: Sendable, Hashable {
        /// The name of the scope; of several of the same kind all names; nil for postings without one, and for the total.
        public let group: String?
        /// The window; all times without one.
        public let period: Range<Int64>
        /// What was spent.
        public let spend: Spend
    }

    private struct Place: Hashable {
        var start: Int64
        var group: String?
    }

    private struct Sums {
        var spend = Spend()
        var operations = NumberSet()
    }

    private let kind: Scope.Kind?
    private let window: Window
    private let footprint: Footprint?
    private var sums: [Place: Sums] = [:]
    private var all = Sums()
    private var open = OpenHolds()

    /// A statement.
    ///
    /// - Parameters:
    ///   - kind: One group for each scope of this kind; nil: all together.
    ///   - window: One row for each of these; ``Window/total`` by default. Of a rolling one, for each step.
    ///   - footprint: Tells how much carbon dioxide attempts cost; nil: nobody asks.
    public init(by kind: Scope.Kind? = nil, per window: Window = .total, footprint: Footprint? = nil) {
        self.kind = kind
        self.window = window
        self.footprint = footprint
    }

    /// Takes one more posting into account.
    public mutating func add(_ posting: Posting) {
        let hold = open.take(posting)
        let place = Place(start: window.bounds(at: posting.began).start, group: kind.flatMap { posting.group($0) })
        let micrograms = posting.kind == .settled ? footprint?.micrograms(of: posting) : nil
        func count(_ sums: inout Sums) {
            if let before = hold.before { sums.spend.count(before, -1) }
            if let after = hold.after { sums.spend.count(after, 1) }
            switch posting.kind {
            case .held, .suspended: break
            case .voided: sums.spend.voided += posting.held
            case .saved:
                sums.spend.saved += posting.saved
                sums.spend.savedAnswers += 1
            case .settled:
                sums.spend.settle(posting)
                if sums.operations.insert(posting.operation) { sums.spend.operations += 1 }
                if let micrograms {
                    sums.spend.micrograms &+= micrograms
                } else if footprint != nil {
                    sums.spend.attemptsWithoutFootprint += 1
                }
            }
        }
        count(&sums[place, default: Sums()])
        count(&all)
    }

    /// The rows by time, in each window the dearest first.
    public var rows: [Row] {
        sums.map { place, sums in
            Row(group: place.group, period: window.period(at: place.start), spend: sums.spend)
        }.sorted { left, right in
            if left.period.lowerBound != right.period.lowerBound {
                return left.period.lowerBound < right.period.lowerBound
            }
            let (mine, other) = (left.spend.cost, right.spend.cost)
            return mine != other ? mine > other : (left.group ?? "") < (right.group ?? "")
        }
    }

    /// All rows together.
    public var total: Spend { all.spend }

    /// A row for each of ``rows``, and one for the total.
    public var table: ReportTable {
        let fixed: [Usage.Meter] = [.input, .cacheRead, .cacheWrite, .output, .reasoning]
        // Meters that are seldom used get a column only when they are.
        let meters = Usage.Meter.allCases.filter { fixed.contains($0) || ($0 != .requests && total[$0] != 0) }
        let header =
            (window == .total ? [] : [window.description]) + (kind.map { [$0.description] } ?? [])
            + [
                "cost", "provider", "metered", "estimated", "overage", "voided", "suspended", "held",
                "operations", "attempts", "saved", "saved_answers",
            ]
            + meters.map { $0.column } + ["per_1k_tokens"]
            + (footprint == nil ? [] : ["micrograms_co2", "attempts_without_co2"])
        func cells(_ spend: Spend) -> [ReportTable.Cell] {
            let amounts = [
                spend.cost, spend.provider, spend.metered, spend.estimated, spend.overage, spend.voided,
                spend.suspended, spend.held,
            ]
            return amounts.map { .money($0) }
                + [.init(spend.operations), .init(spend.attempts), .money(spend.saved), .init(spend.savedAnswers)]
                + meters.map { .count(spend[$0]) } + [.init(spend.perThousandTokens)]
                + (footprint == nil ? [] : [.count(spend.micrograms), .init(spend.attemptsWithoutFootprint)])
        }
        func line(_ time: String, _ group: ReportTable.Cell, _ spend: Spend) -> [ReportTable.Cell] {
            (window == .total ? [] : [.text(time)]) + (kind == nil ? [] : [group]) + cells(spend)
        }
        let lines = rows.map { row in
            line(UTCTime(nanoseconds: row.period.lowerBound).description, .init(row.group), row.spend)
        }
        guard kind != nil || window != .total else { return ReportTable(header, [cells(total)]) }
        return ReportTable(header, lines + [line("total", window == .total ? .text("total") : .empty, total)])
    }
}

extension Usage.Meter {
    /// The name as that of a column: `cacheRead` is `cache_read`.
    var column: String {
        "\(self)".reduce(into: "") { name, letter in
            name += letter.isUppercase ? "_" + letter.lowercased() : "\(letter)"
        }
    }
}
