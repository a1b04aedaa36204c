/// A way to send requests to a fleet; one row of the result.
protocol StormPolicy: Sendable {
    /// The row's name.
    var name: String { get }
    /// Serves all ticks of a fresh fleet and returns its result.
    func run(_ fleet: StormFleet) throws -> StormResult
}

/// The policies in the order of the rows.
enum StormPolicies {
    static let all: [any StormPolicy] = [NaiveRetry(), TextbookBreaker(), HedgedRetry(), SpillwayPolicy()]
}
