internal import CSpillway

/// The delay that makes a quantile of the calls' times shortest, when a share of the calls may be hedged.
///
/// To hedge after one delay, with one probability, is as good as any policy that knows how long a call has taken (Kaler, He
/// and Elnikety, *Optimal reissue policies for reducing tail latency*, SPAA 2017). The probability is left to the budget.
enum BestDelay {
    /// The bucket at whose end to hedge; nil when nothing ended.
    ///
    /// - Parameters:
    ///   - quantile: The quantile to make short.
    ///   - share: The share of calls that may be hedged.
    ///   - buckets: What is known of the times of attempts.
    static func bucket(
        for quantile: Double, hedging share: Double, _ buckets: some Collection<ProductLimit.Bucket>
    ) -> Int? {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: buckets.count) { goesOn in
            goesOn.initialize(repeating: 1)
            var candidates: [Int] = [], next = 0, before = 1.0
            ProductLimit.walk(buckets) { bucket, share in
                for index in next..<bucket { goesOn[index] = before }
                // To hedge where nothing ended is to hedge late.
                if share < before { candidates.append(bucket) }
                goesOn[bucket] = share
                (next, before) = (bucket + 1, share)
                return true
            }
            for index in next..<buckets.count { goesOn[index] = before }
            return best(candidates, goesOn, share, late: 1 - quantile, last: next - 1)
        }
    }

    /// The candidate after which the fewest calls are late at the earliest time.
    private static func best(
        _ candidates: [Int], _ goesOn: UnsafeMutableBufferPointer<Double>, _ share: Double, late: Double, last: Int
    ) -> Int? {
        var best: (delay: Int, rank: (Int, Double, Double))?
        for delay in candidates where goesOn[delay] < 4 * share || delay == candidates.last {
            let probability = min(1, share / max(goesOn[delay], 1e-9))
            /// The share of calls that go on after a bucket: their first attempt does, and a hedge does not help.
            func open(_ bucket: Int) -> Double {
                let left = spw_histogram_end(UInt32(bucket)) - spw_histogram_end(UInt32(delay))
                // The bucket before the one that it falls into has ended by then.
                let ended = left > 0 ? Int(spw_histogram_bucket(left)) - 1 : -1
                return goesOn[bucket] * (ended < 0 ? 1 : 1 - probability * (1 - goesOn[ended]))
            }
            var low = 0, high = last
            while low < high {
                let middle = (low + high) / 2
                if open(middle) <= late { high = middle } else { low = middle + 1 }
            }
            // Of those that reach it at the same time, the one after which the fewest are late just before: where the share
            // of slow calls is above what the budget can mend, it still mends what it can. Then the one that hedges fewer.
            let found = (low, low > 0 ? open(low - 1) : 0, goesOn[delay])
            if best.map({ found < $0.rank }) ?? true { best = (delay, found) }
            // From here on a later delay only hedges later.
            if goesOn[delay] <= share { break }
        }
        return best?.delay
    }
}
