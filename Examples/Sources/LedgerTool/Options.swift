import ArgumentParser
import CostLedger
import Foundation

/// Which postings a report is about.
struct Selection: ParsableArguments {
    @Argument(help: "The file of a ledger, or a journal as `ledger export` writes it.")
    var file: String
    @Option(
        help: "Only calls that began at or after this day or time, such as 2026-11-21 or 2026-11-21T09:30Z.",
        transform: Parse.time)
    var from: Int64?
    @Option(help: "Only calls that began before this day or time.", transform: Parse.time)
    var to: Int64?
    @Option(
        help: "Only calls that this scope paid for, such as tenant:acme; may be given more than once.",
        transform: Parse.scope)
    var scope: [Scope] = []

    func validate() throws {
        if let from, let to, from >= to {
            throw ValidationError("--from is \(UTCTime(nanoseconds: from)), but must be before --to")
        }
    }

    /// When the calls began.
    var period: Range<Int64> { (from ?? .min)..<(to ?? .max) }

    /// The report on all postings of the scopes, whenever they began.
    func whole<Report: LedgerReport>(_ report: Report) async throws -> Report {
        var report = report
        try await PostingFile.open(file).read { posting in
            if scope.allSatisfy(posting.scopes.contains) { report.add(posting) }
        }
        return report
    }

    /// The report on the selected postings.
    func report<Report: LedgerReport>(_ report: Report) async throws -> Report {
        var report = report
        let period = period
        try await PostingFile.open(file).read { posting in
            guard period.contains(posting.began), scope.allSatisfy(posting.scopes.contains) else { return }
            report.add(posting)
        }
        return report
    }
}

/// How a report is written.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, csv, tsv }

    @Option(help: "How it is written: table (amounts rounded to a millionth of a dollar), csv or tsv (all digits).")
    var format: Format = .table

    func text(_ table: ReportTable) -> String {
        switch format {
        case .table: table.text
        case .csv: table.csv
        case .tsv: table.tsv
        }
    }
}

/// Calendar windows by name, in UTC.
enum Span: String, ExpressibleByArgument, CaseIterable {
    case hour, day, week, month, year

    var window: Window {
        switch self {
        case .hour: .hour
        case .day: .day
        case .week: .week
        case .month: .month
        case .year: .year
        }
    }
}

extension Scope.Kind: @retroactive ExpressibleByArgument {
    /// The kind that is called `argument`.
    public init?(argument: String) { self.init(argument) }
    /// What kinds are called.
    public static var allValueStrings: [String] { allCases.map(\.description) }
}

extension Price.Service: @retroactive ExpressibleByArgument {
    /// The service that is called `argument`.
    public init?(argument: String) {
        guard let service = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = service
    }
    /// What services are called.
    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}

/// Reads the values of options; what is none is refused with what would be one.
enum Parse {
    @Sendable static func time(_ text: String) throws -> Int64 {
        guard let time = UTCTime(text) else { throw ValidationError("must be like 2026-11-21 or 2026-11-21T09:30Z") }
        return time.nanoseconds
    }

    @Sendable static func scope(_ text: String) throws -> Scope {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let kind = Scope.Kind(parts[0]) else {
            throw ValidationError(
                "must be like tenant:acme, with \(Scope.Kind.allValueStrings.joined(separator: ", "))")
        }
        return Scope(kind, String(parts[1]))
    }

    @Sendable static func money(_ text: String) throws -> Money {
        guard let money = Money(dollars: text), money >= .zero else {
            throw ValidationError("must be dollars, such as 100 or 0.005")
        }
        return money
    }

    @Sendable static func seconds(_ text: String) throws -> Duration {
        guard let seconds = Double(text), seconds > 0, seconds <= 315_576_000 else {
            throw ValidationError("must be seconds above 0")
        }
        return .seconds(seconds)
    }
}
