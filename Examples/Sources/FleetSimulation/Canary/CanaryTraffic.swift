/// Calls to an old and a new model, and how the new one differs.
struct CanaryTraffic: Sendable {
    let name: String
    /// How much times and costs vary: the deviation of their logarithm.
    var spread = 1.0
    /// How many times as long the new one's first content takes.
    var slower = 1.0
    /// The share of the new one's calls that take ten times as long.
    var hanging = 0.0
    /// The share of failed calls of both.
    var failing = (old: 0.01, new: 0.01)
    /// How many times as much the new one costs.
    var dearer = 1.0
    /// By how much its mean quality is lower.
    var worse = 0.0
    /// Calls of the new one until it differs.
    var after = 0
    /// Whether calls come in bursts, in which the first content takes up to eight times as long.
    var bursts = false
    /// Tenants, each of which keeps its arm; 0: chance shares out calls.
    var tenants = 0
    /// How much tenants differ in the time their calls take: the deviation of its logarithm.
    var tenantSpread = 0.0

    /// With these nothing is wrong: none may be rolled back in more than one seed of a hundred.
    static let harmless = [
        CanaryTraffic(name: "alike, σ 0.5", spread: 0.5), CanaryTraffic(name: "alike, σ 1"),
        CanaryTraffic(name: "alike, σ 1.5", spread: 1.5),
        atTolerance("at every tolerance, σ 1"), atTolerance("at every tolerance, σ 1.5", spread: 1.5),
        atTolerance("at every tolerance, bursts", spread: 1, bursts: true),
        CanaryTraffic(name: "alike, 1,000 tenants", tenants: 1_000),
    ]

    /// What no comparison of tenants with others can tell from a change of the model.
    static let confounded = [
        CanaryTraffic(name: "40 tenants that differ", tenants: 40, tenantSpread: 0.5)
    ]

    /// With these the new one is worse.
    static let harmful = [
        CanaryTraffic(name: "first content × 2, σ 0.5", spread: 0.5, slower: 2),
        CanaryTraffic(name: "first content × 2, σ 1", slower: 2),
        CanaryTraffic(name: "first content × 2, σ 1.5", spread: 1.5, slower: 2),
        CanaryTraffic(name: "first content × 2, bursts", slower: 2, bursts: true),
        CanaryTraffic(name: "× 2, after 500 good calls", slower: 2, after: 500),
        CanaryTraffic(name: "every tenth call × 10, σ 0.5", spread: 0.5, hanging: 0.1),
        CanaryTraffic(name: "errors 1 % → 5 %", failing: (0.01, 0.05)),
        CanaryTraffic(name: "errors 1 % → 50 %", failing: (0.01, 0.5)),
        CanaryTraffic(name: "cost + 30 %, σ 0.5", spread: 0.5, dearer: 1.3),
        CanaryTraffic(name: "cost + 30 %, σ 1", dearer: 1.3),
        CanaryTraffic(name: "quality − 0.1", worse: 0.1),
    ]

    /// The new one is as much worse as it may be, by all four metrics at once.
    private static func atTolerance(_ name: String, spread: Double = 1, bursts: Bool = false) -> CanaryTraffic {
        CanaryTraffic(
            name: name, spread: spread, slower: 1.1, failing: (0.01, 0.015), dearer: 1.05, worse: 0.03, bursts: bursts)
    }
}
