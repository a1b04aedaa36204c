import Admission
import SpillwayCore
import Testing

/// A limit with a name.
func makeLimit(
    _ limit: ConcurrencyLimit.Limit, in range: ClosedRange<Int> = 1...1_000, initially: Int? = nil,
    partitions: ConcurrencyLimit.Partitions? = nil
) throws -> ConcurrencyLimit {
    try ConcurrencyLimit("limit", .init(limit, in: range, initially: initially, partitions: partitions))
}

extension ConcurrencyLimit {
    /// A permit in words, or nil when there is no place.
    func take(_ call: Call = Call(), at now: Instant = at(1)) -> RawPermit? {
        do throws(Rejection) { return try admit(call, at: now).take() } catch { return nil }
    }

    /// Takes as many places as there are.
    func fill(_ call: Call = Call(), at now: Instant = at(1), most: Int = 70_000) -> [RawPermit] {
        var permits: [RawPermit] = []
        while permits.count < most, let permit = take(call, at: now) { permits.append(permit) }
        return permits
    }
}

/// A service that `callers` ask in turns, each as soon as it has an answer, through a limit: a closed loop in which a call
/// takes as long as the calls in flight with it make it.
struct ClosedLoop {
    let limit: ConcurrencyLimit
    var now = 1.0
    private var underWay: [(permit: RawPermit, end: Double, time: Double)] = []

    private var calls = 0

    init(_ limit: ConcurrencyLimit) { self.limit = limit }

    /// Runs for so many seconds.
    ///
    /// - Parameters:
    ///   - callers: Calls that want to be in flight.
    ///   - time: Seconds that a call takes with so many in flight.
    ///   - measured: What is measured of a call that took so long.
    mutating func run(
        seconds: Double, callers: Int, measured: (Double) -> Measurements = { _ in Measurements() },
        outcome: (Double) -> Outcome = { _ in .success }, _ time: (Int) -> Double
    ) {
        let end = now + seconds
        while now < end {
            while underWay.count < callers, let permit = limit.take(at: at(now)) {
                // Spread a little, so that calls do not end all at once.
                let spread = 0.9 + 0.2 * Double((calls * 37) % 101) / 101
                calls += 1
                let takes = time(underWay.count + 1) * spread
                insert((permit, now + takes, takes))
            }
            guard let call = underWay.popLast() else {
                now += 0.01
                continue
            }
            now = max(now, call.end)
            call.permit.settle(outcome(call.time), measured(call.time), at: at(now))
        }
    }

    /// The median of the limits over so many seconds: a probe is short.
    mutating func typicalLimit(seconds: Double, _ time: (Int) -> Double) -> Int {
        var limits: [Int] = []
        for _ in 0..<40 {
            run(seconds: seconds / 40, callers: 1_000, time)
            limits.append(limit.limit)
        }
        return limits.sorted()[20]
    }

    /// Keeps the one that ends first last.
    private mutating func insert(_ call: (permit: RawPermit, end: Double, time: Double)) {
        var (low, high) = (0, underWay.count)
        while low < high {
            let middle = (low + high) / 2
            if underWay[middle].end > call.end { low = middle + 1 } else { high = middle }
        }
        underWay.insert(call, at: low)
    }

    /// Lets all calls end.
    mutating func drain() {
        for call in underWay { call.permit.settle(.success, at: at(max(now, call.end))) }
        underWay = []
    }
}

/// Time with a queue behind `capacity` calls: it takes `base` seconds up to there, and the queue's length beyond.
func queueing(_ base: Double, capacity: Int) -> (Int) -> Double {
    { inFlight in base * max(1, Double(inFlight) / Double(capacity)) }
}
