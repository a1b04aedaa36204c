import CostLedger

extension ReportTable {
    /// This table without columns in which every figure is zero.
    var withoutZeros: ReportTable {
        let kept = header.indices.filter { column in
            rows.contains { row in ![.money(.zero), .count(0), .empty].contains(row[column]) }
        }
        return ReportTable(kept.map { header[$0] }, rows.map { row in kept.map { row[$0] } })
    }

    /// Columns for people: names to the left, figures to the right, amounts rounded to a millionth of a dollar.
    var text: String {
        let columns = header.indices.map { column -> [String] in
            let cells = rows.map { $0[column] }
            let decimals = cells.map(\.decimals).max() ?? 0
            return [header[column]] + cells.map { $0.text(decimals: decimals) }
        }
        let widths = columns.map { $0.map(\.count).max() ?? 0 }
        let isText = header.indices.map { column in rows.allSatisfy { !$0[column].isFigure } }
        var lines = (0...rows.count).map { row -> String in
            let cells = columns.indices.map { column -> String in
                let cell = columns[column][row], padding = String(repeating: " ", count: widths[column] - cell.count)
                return isText[column] ? cell + padding : padding + cell
            }
            return cells.joined(separator: "  ").trimmedAtEnd
        }
        let width = widths.reduce(0, +) + 2 * max(0, widths.count - 1)
        lines.insert(String(repeating: "-", count: width), at: 1)
        return lines.map { $0 + "\n" }.joined()
    }
}

extension ReportTable.Cell {
    fileprivate var isFigure: Bool {
        switch self {
        case .money, .count: true
        case .text, .empty: false
        }
    }

    /// How many decimals an amount needs, from 2 to 6.
    fileprivate var decimals: Int {
        guard case .money(let money) = self else { return 0 }
        var rest = money.times(1, over: 1_000).nanodollars, decimals = 6
        while decimals > 2, rest % 10 == 0 {
            rest /= 10
            decimals -= 1
        }
        return decimals
    }

    fileprivate func text(decimals: Int) -> String {
        switch self {
        // A name with a line end or a control sequence in it must not disturb the terminal.
        case .text(let text):
            String(text.map { $0.isNewline || $0.unicodeScalars.allSatisfy { $0.value < 32 } ? "?" : $0 })
        case .money(let money): money.rounded(decimals)
        case .count, .empty: plain
        }
    }
}

extension Money {
    /// Dollars with 1 to 9 decimals, rounded to the nearest, ties to even.
    func rounded(_ decimals: Int) -> String {
        let unit = (decimals..<9).reduce(Int64(1)) { unit, _ in unit * 10 }
        let (dollars, rest) = times(1, over: unit).nanodollars.magnitude.quotientAndRemainder(
            dividingBy: (0..<decimals).reduce(UInt64(1)) { power, _ in power * 10 })
        let digits = String(rest)
        let isNegative = times(1, over: unit).nanodollars < 0
        return "\(isNegative ? "-" : "")\(dollars)." + String(repeating: "0", count: decimals - digits.count) + digits
    }

    /// Dollars, for drawings alone.
    var approximateDollars: Double { Double(nanodollars) / 1e9 }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
