/// The shortest tail of all policies that hedge no more than a share of the calls, computed.
///
/// To hedge after one delay, with one probability, is as good as any policy that knows how long a call has taken (Kaler, He
/// and Elnikety, *Optimal reissue policies for reducing tail latency*, SPAA 2017). So every delay is tried, with the highest
/// probability that the share allows: a call is late when its first attempt is late, and it had no hedge or a late one.
struct BestTail: Sendable, Hashable {
    /// The quantile of the calls' times, in seconds.
    let seconds: Double
    /// After how many seconds to hedge.
    let delay: Double
    /// The share of the calls that run then which are hedged.
    let probability: Double

    init(of service: SlowService, quantile: Double, hedging share: Double) {
        var best = (seconds: Double.infinity, delay: 0.0, probability: 0.0)
        for delay in service.candidates {
            let running = service.above(delay)
            let probability = running > share ? share / running : 1
            func late(_ time: Double) -> Double {
                service.above(time) * (time < delay ? 1 : 1 - probability * (1 - service.above(time - delay)))
            }
            // A delay that leaves too many late at the best time so far is no better.
            guard best.seconds == .infinity || late(best.seconds) <= 1 - quantile else { continue }
            var (low, high) = (0.0, min(best.seconds, 1e4))
            while high - low > 1e-6 {
                let time = (low + high) / 2
                if late(time) <= 1 - quantile { high = time } else { low = time }
            }
            if high < best.seconds { best = (high, delay, probability) }
        }
        (seconds, delay, probability) = best
    }
}
