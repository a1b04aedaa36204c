/// The product-limit estimator over buckets (Kaplan and Meier, JASA 1958).
enum ProductLimit {
    /// What is known of one bucket of times.
    struct Bucket {
        /// Calls that ended in it.
        var ended = 0
        /// Calls that were cut short in it.
        var cut = 0
    }

    /// Calls every bucket in which anything is with the share that goes on after it, until `body` returns false.
    ///
    /// The share that goes on after a bucket is the share that went on before, times the share that did not end in it of
    /// those that were still looked at. As usual, who was cut in a bucket is still looked at in it.
    static func walk(_ buckets: some Collection<Bucket>, _ body: (_ bucket: Int, _ goesOn: Double) -> Bool) {
        var watched = buckets.reduce(0) { $0 + $1.ended + $1.cut }
        var goesOn = 1.0
        for (index, bucket) in buckets.enumerated() where bucket.ended + bucket.cut > 0 {
            goesOn *= 1 - Double(bucket.ended) / Double(watched)
            watched -= bucket.ended + bucket.cut
            if !body(index, goesOn) { return }
        }
    }

    /// The first bucket at whose end the share `quantile` of calls has ended; nil when nothing ended or was cut.
    ///
    /// When the share that goes on never falls so low, the last bucket in which anything is.
    static func quantile(_ quantile: Double, of buckets: some Collection<Bucket>) -> Int? {
        // Products of many fractions come out a little beside the fraction that they should be.
        let goal = (1 - min(max(quantile, 0), 1)) + 1e-9
        var last: Int?
        walk(buckets) { bucket, goesOn in
            last = bucket
            return goesOn > goal
        }
        return last
    }
}
