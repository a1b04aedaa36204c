/// Every failed request is tried again in the next tick, anywhere.
struct NaiveRetry: StormPolicy {
    let name = "naive"

    func run(_ fleet: StormFleet) -> StormResult {
        fleet.serve(isEligible: { _, _ in true }, staysEligible: { _, _, _ in true })
    }
}

/// The same with the textbook's breaker on each replica.
///
/// A moving average of its failures (0.15 for the last call) above 0.4 keeps it out for 60 ticks.
/// Four failures in a row trip it, and so may a few among successes: healthy replicas are shut out, too, by chance. After
/// a pause the average is where it was, so one more failure trips it again.
struct TextbookBreaker: StormPolicy {
    let name = "breaker"

    func run(_ fleet: StormFleet) -> StormResult {
        var openUntil = Array(repeating: 0, count: fleet.settings.replicas)
        var failures = Array(repeating: 0.0, count: fleet.settings.replicas)
        return fleet.serve(
            isEligible: { replica, tick in openUntil[replica] <= tick },
            staysEligible: { replica, tick, succeeded in
                failures[replica] = 0.85 * failures[replica] + 0.15 * (succeeded ? 0 : 1)
                if !succeeded, failures[replica] > 0.4 { openUntil[replica] = tick + 60 }
                return openUntil[replica] <= tick
            })
    }
}
