import Foundation

/// Turns values into the cells of tables.
enum Cells {
    /// A number with so many decimals; `missing` for nil.
    static func number(_ value: Double?, _ decimals: Int, missing: String = "NA") -> String {
        value.map { String(format: "%.\(decimals)f", $0) } ?? missing
    }

    /// Rows of cells as tab-separated values.
    static func tsv(_ header: [String], _ rows: [[String]]) -> String {
        ([header] + rows).map { $0.joined(separator: "\t") }.joined(separator: "\n")
    }

    /// Rows in columns of fixed width: the first to the left, the others to the right.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).enumerated().map { column, pair in
                let padding = String(repeating: " ", count: pair.1 - pair.0.count)
                return column == 0 ? pair.0 + padding : padding + pair.0
            }.joined(separator: "  ")
        }
        let rule = String(repeating: "-", count: line(header).count)
        return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
    }
}
