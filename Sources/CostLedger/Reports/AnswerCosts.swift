internal import SpillwayCore

/// What answers cost, with every retry, hedge and failure in it.
///
/// An operation has succeeded when an attempt was settled with a success, or a cache had an answer; the first one is its answer.
/// It is in time when that
/// attempt ended within `limit` of the begin of the first. All that an operation cost belongs to one group, that of its answer,
/// or, where there is none, of its first attempt.
///
/// Memory goes with operations: about 100 bytes for each that began in the period.
public struct AnswerCosts: LedgerReport {
    /// What the operations of one group have come to.
    public struct Row: Sendable, Hashable {
        /// The name of the scope; nil for operations without one, and for the total.
        public internal(set) var group: String?
        /// Operations that succeeded.
        public internal(set) var answers = 0
        /// Operations that succeeded in time.
        public internal(set) var inTime = 0
        /// Operations that failed.
        public internal(set) var failed = 0
        /// Operations that have no answer yet and an attempt that has not ended, or of which nobody knows how it ended.
        public internal(set) var open = 0
        /// What settled attempts cost.
        public internal(set) var cost = Money.zero
        /// What of it was for other attempts than the answers'.
        public internal(set) var wasted = Money.zero

        /// The whole cost for each answer; nil when there is none.
        public var perAnswer: Money? { share(answers) }
        /// The whole cost for each answer in time; nil when there is none.
        public var perAnswerInTime: Money? { share(inTime) }

        private func share(_ count: Int) -> Money? { count > 0 ? cost.times(1, over: Int64(count)) : nil }
    }

    fileprivate struct Operation {
        var began: Int64
        var attempt: UInt32
        /// The place of the group in `groups`.
        var group: Int
        var cost = Money.zero
        var settled = 0
        var open = 0
        var answer: (time: Int64, attempt: UInt32, group: Int, cost: Money)?
    }

    private let limit: Int64
    private let kind: Scope.Kind?
    private let period: Range<Int64>
    private var groups: [String?] = [nil]
    private var places: [String: Int] = [:]
    private var operations: [UInt64: Operation] = [:]
    /// Operations that began before the period.
    private var earlier = NumberSet()
    private var open = OpenHolds()

    /// A report on answers.
    ///
    /// - Parameters:
    ///   - limit: From the begin of an operation's first attempt to the end of the one that succeeded.
    ///   - kind: One group for each scope of this kind; nil: all together.
    ///   - period: Operations count that began in it, in nanoseconds since 1970; with all their attempts, so that attempts after
    ///     it must be given as well.
    public init(within limit: Duration, by kind: Scope.Kind? = nil, period: Range<Int64> = .min ..< .max) {
        self.limit = limit.clampedNanoseconds
        self.kind = kind
        self.period = period
    }

    /// Takes one more posting into account.
    public mutating func add(_ posting: Posting) {
        let number = posting.operation
        guard !earlier.contains(number) else { return }
        guard posting.began >= period.lowerBound else {
            _ = earlier.insert(number)
            operations[number] = nil
            return
        }
        let group = place(of: posting)
        var operation =
            operations[number] ?? Operation(began: posting.began, attempt: posting.attempt, group: group)
        if (posting.began, posting.attempt) < (operation.began, operation.attempt) {
            (operation.began, operation.attempt, operation.group) = (posting.began, posting.attempt, group)
        }
        let hold = open.take(posting)
        operation.open += (hold.after == nil ? 0 : 1) - (hold.before == nil ? 0 : 1)
        // An answer that was saved cost nothing.
        if posting.kind == .settled || posting.kind == .saved {
            operation.settled += 1
            operation.cost += posting.cost
            let order = (posting.time, posting.attempt)
            if posting.outcome.verdict == .success, operation.answer.map({ order < ($0.time, $0.attempt) }) ?? true {
                operation.answer = (posting.time, posting.attempt, group, posting.cost)
            }
        }
        operations[number] = operation
    }

    private mutating func place(of posting: Posting) -> Int {
        guard let name = kind.flatMap({ posting.group($0) }) else { return 0 }
        if let place = places[name] { return place }
        groups.append(name)
        places[name] = groups.count - 1
        return groups.count - 1
    }

    /// A row for each group, the dearest first.
    public var rows: [Row] {
        var rows = groups.map { Row(group: $0) }
        for operation in operations.values where period.contains(operation.began) {
            rows[operation.answer?.group ?? operation.group].count(operation.ended(within: limit))
        }
        return rows.filter { $0.answers + $0.failed + $0.open > 0 }.sorted {
            $0.cost != $1.cost ? $0.cost > $1.cost : ($0.group ?? "") < ($1.group ?? "")
        }
    }

    /// All groups together.
    public var total: Row { rows.reduce(into: Row()) { $0.count($1) } }

    /// A row for each of ``rows``, and one for the total.
    public var table: ReportTable {
        let header = [
            "answers", "in_time", "failed", "open", "cost", "wasted", "per_answer", "per_answer_in_time",
        ]
        func cells(_ row: Row) -> [ReportTable.Cell] {
            [row.answers, row.inTime, row.failed, row.open].map { .init($0) }
                + [row.cost, row.wasted, row.perAnswer, row.perAnswerInTime].map { .init($0) }
        }
        guard let kind else { return ReportTable(header, [cells(total)]) }
        return ReportTable(
            [kind.description] + header,
            rows.map { [.init($0.group)] + cells($0) } + [[.text("total")] + cells(total)])
    }
}

extension AnswerCosts.Operation {
    fileprivate func ended(within limit: Int64) -> AnswerCosts.Row {
        var row = AnswerCosts.Row()
        row.cost = cost
        row.wasted = cost - (answer?.cost ?? .zero)
        if let answer {
            row.answers = 1
            let (elapsed, overflow) = answer.time.subtractingReportingOverflow(began)
            row.inTime = !overflow && elapsed <= limit ? 1 : 0
        } else if open > 0 {
            row.open = 1
        } else if settled > 0 {
            row.failed = 1
        }
        return row
    }
}

extension AnswerCosts.Row {
    fileprivate mutating func count(_ other: Self) {
        answers += other.answers
        inTime += other.inTime
        failed += other.failed
        open += other.open
        cost += other.cost
        wasted += other.wasted
    }
}
