/// A table for the terminal: columns of fixed width, words to the left and numbers to the right.
struct TextTable: Sendable {
    let columns: [String]
    /// As many cells in each row as there are columns.
    let rows: [[String]]
    /// How many columns hold words; the first ones.
    let words: Int
    /// How many rows stand together; a blank line parts them from the next.
    let group: Int

    /// The table's lines.
    var text: String {
        let widths = columns.indices.map { column in ([columns] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).enumerated().map { column, pair in
                let padding = String(repeating: " ", count: pair.1 - pair.0.count)
                return column < words ? pair.0 + padding : padding + pair.0
            }.joined(separator: "  ")
        }
        let rule = String(repeating: "-", count: line(columns).count)
        let groups = stride(from: 0, to: rows.count, by: group).map { start in
            rows[start..<min(start + group, rows.count)].map(line).joined(separator: "\n")
        }
        return [line(columns), rule, groups.joined(separator: "\n\n")].joined(separator: "\n")
    }
}
