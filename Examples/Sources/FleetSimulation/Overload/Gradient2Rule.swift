/// Netflix's `Gradient2Limit` under its `WindowedLimit`, by round trip (github.com/Netflix/concurrency-limits, 0.5).
///
/// Windows of at least one second and ten samples; initial limit 20, smoothing 0.2, queue 4, long window 600, tolerance 1.5,
/// drift 0.95. Its bounds of 20 and 200 are those of the comparison here.
struct Gradient2Rule: PublishedRule {
    private(set) var limit = 20.0
    private let range: ClosedRange<Double>
    private var long = WarmAverage(window: 600)
    private var due = 0.0
    private var count = 0
    private var sum = 0.0
    private var least = Double.infinity
    private var most = 0

    init(_ range: ClosedRange<Int>) { self.range = Double(range.lowerBound)...Double(range.upperBound) }

    mutating func record(_ sample: PublishedSample, isFull: Bool) {
        count += 1
        sum += sample.took
        least = min(least, sample.took)
        most = max(most, sample.inFlight)
        guard sample.now > due, count >= 10 else { return }
        update(sum / Double(count))
        due = sample.now + 1
        (count, sum, least, most) = (0, 0, .infinity, 0)
    }

    private mutating func update(_ short: Double) {
        long.add(short)
        if long.value / short > 2 { long.value *= 0.95 }
        guard Double(most) >= limit / 2 else { return }
        let gradient = max(0.5, min(1, 1.5 * long.value / short))
        let next = limit * gradient + 4
        limit = max(range.lowerBound, min(range.upperBound, limit * 0.8 + next * 0.2))
    }
}
