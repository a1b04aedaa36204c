public import SpillwayCore

/// What a provider says that a day of a model has cost: a file of comma-separated values with a header.
public struct Invoice: Sendable {
    /// What the columns are called that are read; others are passed over.
    public struct Columns: Sendable {
        /// Days as `2026-11-21`, in UTC.
        public var date = "date"
        /// Models, as the ledger calls them.
        public var model = "model"
        /// Dollars, as decimal numbers that have no part smaller than a nano-dollar.
        public var amount = "amount"
        /// Tokens; nil: the file does not say.
        public var tokens: String?

        /// `date`, `model` and `amount`.
        public init() {}
    }

    /// One row.
    public struct Line: Sendable, Hashable {
        /// The line of the file that it begins in, from 1.
        public let line: Int
        /// The day's first nanosecond since 1970.
        public let day: Int64
        /// The model.
        public let model: String
        /// What it cost.
        public let amount: Money
        /// How many tokens it took, if the file says.
        public let tokens: Int64?
    }

    /// A row that cannot be read.
    public struct Malformed: Sendable, Hashable {
        /// The line of the file that it begins in, from 1.
        public let line: Int
        /// What is wrong.
        public let reason: String
    }

    /// What can be read.
    public private(set) var lines: [Line] = []
    /// What cannot be read, and is in no sum.
    public private(set) var malformed: [Malformed] = []

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - csv: UTF-8 text as RFC 4180 has it.
    ///   - columns: What its columns are called.
    /// - Throws: `ConfigurationError` when there is no such column, or two of that name. Rows that cannot be read are
    ///   ``malformed``.
    public init(csv: some Sequence<UInt8>, columns: Columns = Columns()) throws(ConfigurationError) {
        var records = CSVReader.records(csv)[...]
        let check = Validation("Invoice")
        guard let header = records.popFirst() else { throw check.refusal("header", "missing", "the names of columns") }
        try check.require(header.problem == nil, "header", header.problem ?? "", "a row of RFC 4180")
        func place(_ name: String) throws(ConfigurationError) -> Int {
            let places = header.fields.indices.filter { header.fields[$0] == name }
            guard places.count == 1 else {
                throw check.refusal("column '\(name)'", places.isEmpty ? "missing" : "there twice", "there once")
            }
            return places[0]
        }
        let date = try place(columns.date), model = try place(columns.model), amount = try place(columns.amount)
        var tokens: Int?
        if let name = columns.tokens { tokens = try place(name) }
        for record in records {
            let reason: String
            if let problem = record.problem {
                reason = problem
            } else if record.fields.count != header.fields.count {
                reason = "\(record.fields.count) fields, but the header has \(header.fields.count)"
            } else {
                switch Self.read(record, date, model, amount, tokens) {
                case .success(let line):
                    lines.append(line)
                    continue
                case .failure(let failure): reason = failure.reason
                }
            }
            malformed.append(Malformed(line: record.line, reason: reason))
        }
    }

    private struct Failure: Error { let reason: String }

    private static func read(
        _ record: CSVReader.Record, _ date: Int, _ model: Int, _ amount: Int, _ tokens: Int?
    ) -> Result<Line, Failure> {
        let fields = record.fields
        guard fields[date].utf8.count == 10, let day = UTCTime(fields[date])?.nanoseconds else {
            return .failure(Failure(reason: "'\(fields[date])' is no date such as 2026-11-21"))
        }
        guard !fields[model].isEmpty else { return .failure(Failure(reason: "no model")) }
        guard let money = Money(dollars: fields[amount]) else {
            return .failure(Failure(reason: "'\(fields[amount])' is no amount in dollars to the nano-dollar"))
        }
        var count: Int64?
        if let tokens {
            guard let number = Int64(fields[tokens]), number >= 0 else {
                return .failure(Failure(reason: "'\(fields[tokens])' is no number of tokens"))
            }
            count = number
        }
        return .success(Line(line: record.line, day: day, model: fields[model], amount: money, tokens: count))
    }
}

extension Validation {
    fileprivate func refusal(_ field: String, _ value: String, _ expected: String) -> ConfigurationError {
        ConfigurationError(policy: policy, field: field, value: value, expected: expected)
    }
}
