import Foundation

/// failsafe-go's `AdaptiveLimiter`, by round trip (github.com/failsafe-go/failsafe-go, `adaptivelimiter`, 2025).
///
/// The 90 % quantile of windows of at least 50 calls, a median of five and a short average of them, against an average of ten
/// windows; a queue estimated as in TCP Vegas; and the correlation of calls in flight with throughput and with round trips
/// over 50 windows, so that the limit does not creep up. Its bounds of 1 and 200 are those of the comparison here.
struct FailsafeRule: PublishedRule {
    private(set) var limit = 20.0
    private let range: ClosedRange<Double>
    private var recent: [Double] = []
    private var most = 0
    private var due = 0.0
    private var lastFive: [Double] = []
    private var smoothed = WarmAverage(window: 5)
    private var baseline = WarmAverage(window: 10)
    private var throughputs = Correlation(50)
    private var times = Correlation(50)

    init(_ range: ClosedRange<Int>) { self.range = Double(range.lowerBound)...Double(range.upperBound) }

    mutating func record(_ sample: PublishedSample, isFull: Bool) {
        if !sample.dropped {
            recent.append(sample.took)
            most = max(most, sample.inFlight)
        }
        guard sample.now > due, recent.count >= 50 else { return }
        recent.sort()
        lastFive = (lastFive + [recent[Int(0.9 * Double(recent.count - 1))]]).suffix(5)
        smoothed.add(lastFive.sorted()[lastFive.count / 2])
        update(smoothed.value, isFull: isFull)
        due = sample.now + min(max(2 * recent[0], 1), 30)
        recent = []
        most = 0
    }

    private mutating func update(_ time: Double, isFull: Bool) {
        baseline.add(time)
        let queue = (limit * (1 - baseline.value / time)).rounded(.up)
        let inFlight = Double(most)
        let (throughput, spread) = throughputs.add(inFlight, inFlight / time)
        let (slowing, _) = times.add(inFlight, time)
        let unit = max(1, log10(limit))
        var next = limit
        if queue > 6 * unit || isFull && (throughput < 0 || slowing > 0.5 && (throughput < 0.3 || spread < 0.2)) {
            next -= unit
        } else if queue < 3 * unit {
            next += unit
        }
        if next > inFlight * 5 { next = limit - unit }
        limit = max(range.lowerBound, min(range.upperBound, next))
    }

    /// The correlation of the last pairs, 0 while there are fewer than ten or they hardly vary, and how the second varies.
    private struct Correlation {
        private let capacity: Int
        private var pairs: [(x: Double, y: Double)] = []

        init(_ capacity: Int) { self.capacity = capacity }

        mutating func add(_ x: Double, _ y: Double) -> (correlation: Double, spread: Double) {
            pairs = (pairs + [(x, y)]).suffix(capacity)
            let count = Double(pairs.count)
            guard pairs.count >= 10 else { return (0, 0) }
            let meanX = pairs.reduce(0) { $0 + $1.x } / count, meanY = pairs.reduce(0) { $0 + $1.y } / count
            let deviationX = (pairs.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) } / count).squareRoot()
            let deviationY = (pairs.reduce(0) { $0 + ($1.y - meanY) * ($1.y - meanY) } / count).squareRoot()
            guard deviationX / meanX >= 0.01, deviationY / meanY >= 0.01 else { return (0, deviationY / meanY) }
            let both = pairs.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / count
            return (both / (deviationX * deviationY), deviationY / meanY)
        }
    }
}
