/// Rows and columns of a report.
public struct ReportTable: Sendable, Hashable {
    /// What stands in one place.
    public enum Cell: Sendable, Hashable {
        /// A name, which may have come from anywhere.
        case text(String)
        /// An amount of dollars.
        case money(Money)
        /// A number.
        case count(Int64)
        /// Nothing, or not known.
        case empty

        /// All digits, without a unit; a text as it is.
        public var plain: String {
            switch self {
            case .text(let text): text
            case .money(let money): money.decimal
            case .count(let count): String(count)
            case .empty: ""
            }
        }
    }

    /// What the columns are called.
    public let header: [String]
    /// As many cells in each as there are columns.
    public let rows: [[Cell]]

    /// A table of your own, with as many cells in each row as there are columns.
    public init(_ header: [String], _ rows: [[Cell]]) {
        self.header = header
        self.rows = rows
    }

    /// Comma-separated values as RFC 4180 has them, amounts with all their digits.
    ///
    /// A text that a spreadsheet may take for a formula, or that begins with an apostrophe, gets one in front (OWASP, *CSV
    /// Injection*). Taking one apostrophe off the front of a text gives the text back.
    public var csv: String {
        lines(separator: ",", end: "\r\n") { text in
            guard text.utf8.contains(where: { [0x22, 0x2C, 0x0D, 0x0A].contains($0) }) else { return text }
            return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        }
    }

    /// Tab-separated values; texts as in ``csv``, with a space for each tab and line end.
    public var tsv: String {
        lines(separator: "\t", end: "\n") { text in
            String(
                String.UnicodeScalarView(text.unicodeScalars.map { "\t\n\r".unicodeScalars.contains($0) ? " " : $0 }))
        }
    }

    private func lines(separator: String, end: String, _ quoted: (String) -> String) -> String {
        let cells = rows.map { row in
            row.map { cell in
                if case .text(let text) = cell { quoted(Self.guarded(text)) } else { cell.plain }
            }
        }
        return ([header] + cells).map { $0.joined(separator: separator) + end }.joined()
    }

    /// Keeps spreadsheets from running what somebody has put into a name.
    private static func guarded(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        return "=+-@\t\r\n'＝＋－＠".unicodeScalars.contains(first) ? "'" + text : text
    }
}

extension ReportTable.Cell {
    init(_ money: Money?) { self = money.map { .money($0) } ?? .empty }
    init(_ text: String?) { self = text.map { .text($0) } ?? .empty }
    init(_ count: Int) { self = .count(Int64(count)) }
    init(_ count: Int64?) { self = count.map { .count($0) } ?? .empty }
}

extension Money {
    /// Dollars without their sign of currency, such as `-3.10`.
    var decimal: String { description.split(separator: "$").joined() }
}
