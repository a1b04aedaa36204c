/// What a scenario found, in each format, without a line end.
protocol ScenarioResult {
    /// For people.
    var table: String { get }
    /// For programs: a header line, then tab-separated rows; what is not known is `NA`.
    var tsv: String { get }
    /// A drawing that needs nothing else.
    var svg: String { get }
}
