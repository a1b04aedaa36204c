/// Calls and good answers per second between two readings of the fleet's counter.
struct CallRate: Sendable, Equatable {
    let from: Double
    let to: Double
    let calls: Double
    let good: Double

    /// The rates between the samples, in order.
    static func between(_ samples: [RunResult.CallSample]) -> [CallRate] {
        // A reading right after another one would make a rate out of next to nothing.
        let samples = samples.reduce(into: [RunResult.CallSample]()) { kept, sample in
            if sample.at - (kept.last?.at ?? -.infinity) >= 1 { kept.append(sample) }
        }
        return zip(samples, samples.dropFirst()).map { earlier, later in
            let length = later.at - earlier.at
            return CallRate(
                from: earlier.at, to: later.at, calls: Double(later.calls - earlier.calls) / length,
                good: Double(later.good - earlier.good) / length)
        }
    }
}
