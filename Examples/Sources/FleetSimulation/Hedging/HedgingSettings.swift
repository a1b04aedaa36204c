/// Calls that are hedged, of which a share may be.
struct HedgingSettings: Sendable, Hashable {
    /// Calls of one run.
    var calls = 16_000
    /// Calls in a second, at random times.
    var perSecond = 40.0
    /// Extra attempts per call, by the budget.
    var share = 0.05
    /// The quantile that is to be short.
    var quantile = 0.99

    /// Calls at the beginning that are not looked at, because no delay is known yet.
    var warmUp: Int { calls / 4 }
}
