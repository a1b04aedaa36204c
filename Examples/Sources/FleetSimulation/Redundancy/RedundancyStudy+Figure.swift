import Drawing

extension RedundancyStudy {
    /// The attainment with its spread on the computed curve, and what is missing from 100 % on a logarithmic scale.
    var svg: String {
        let attainment = Figure.Panel(
            title: "SLO attainment in percent", note: "95 % of \(seeds.count) single runs", scale: .linear(max: 100)
        ) { [spares] frame in
            Self.curve(spares.map(\.computed), in: frame) + Self.whiskers(spares, in: frame)
                + Self.dots(spares.map { $0.textbook?.attainment }, run: 2, beside: 0.05, in: frame)
        }
        let missing = spares.flatMap { [100 - $0.computed, 100 - $0.attainment.mean] }
        let shortfall = Figure.Panel(
            title: "Percent of time below N", note: "logarithmic", scale: .logarithmic(holding: missing)
        ) { [spares] frame in
            Self.curve(spares.map { 100 - $0.computed }, in: frame)
                + Self.dots(spares.map { 100 - $0.attainment.mean }, run: 0, beside: -0.05, in: frame)
                + Self.dots(spares.map { $0.textbook.map { 100 - $0.attainment } }, run: 2, beside: 0.05, in: frame)
        }
        let keys: [Figure.Key] = [
            .line("run run1", "A(N,k)"), .line("calls", "simulated, 95 % of runs"),
            .area("dot0", "simulated, mean"), .area("dot2", "textbook"),
        ]
        return Figure.document([
            Figure(
                panels: [attainment, shortfall], axis: .names(spares.map { "N+\($0.spares)" }, title: "replicas"),
                keys: keys, description: "SLO attainment for each number of spares")
        ])
    }

    private static func curve(_ values: [Double], in frame: Figure.Frame) -> String {
        Marks.line(values.enumerated().map { (Double($0.offset) + 0.5, $0.element) }, run: 1, in: frame)
    }

    private static func whiskers(_ rows: [Row], in frame: Figure.Frame) -> String {
        rows.map { row in
            let range = row.singleRun ?? row.attainment.mean...row.attainment.mean
            return Marks.whisker(at: Double(row.spares) + 0.5, from: range.lowerBound, to: range.upperBound, in: frame)
        }.joined()
    }

    /// One dot for each value, a little beside its place so as not to cover another.
    private static func dots(
        _ values: [Double?], run: Int, beside: Double = 0, in frame: Figure.Frame
    ) -> String {
        values.enumerated().map { index, value in
            value.map { Marks.dot(at: Double(index) + 0.5 + beside, value: $0, run: run, in: frame) } ?? ""
        }.joined()
    }
}
