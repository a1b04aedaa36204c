import Foundation
import Spillway

/// One seed: a rollout that runs until it is rolled back, or so many calls have been made.
struct CanaryTrial: Sendable {
    /// Calls of the new one, since it differs, until it was rolled back; nil: it was not.
    let found: Int?
    /// By what it was found.
    let metric: Rollout.Metric?
    /// The same by a t-test that is looked at after every twenty calls of the new one.
    let peeked: Int?

    /// Makes up to `canaries` calls of the new one.
    init(_ traffic: CanaryTraffic, share: Double, canaries: Int, seed: UInt64) throws {
        let rollout = try Rollout("seed \(seed)", .init(share: share), random: .seeded(seed ^ 0x5eed))
        var calls = CanaryCalls(traffic, seed: seed), test = PeekingTest(), peeked: Int?, count = 0
        let needed = traffic.after + canaries
        // Of few tenants it may be that chance gives the new one to none.
        var left = Int(2 * Double(needed) / share)
        while count < needed, left > 0, rollout.state == .running {
            let call = calls.next(rollout)
            left -= 1
            if call.arm.isCanary { count += 1 }
            if peeked == nil, let first = call.sample.firstContent {
                test.add(log(first / .seconds(1)), isCanary: call.arm.isCanary)
                if test.alarms { peeked = count - traffic.after }
            }
            rollout.record(call.arm, call.sample, at: Instant(nanoseconds: call.at))
        }
        if case .rolledBack(let evidence) = rollout.state {
            found = count - traffic.after
            metric = evidence?.metric
        } else {
            (found, metric) = (nil, nil)
        }
        self.peeked = peeked
    }
}

/// What is often done instead: Welch's t-test of the logarithms, one-sided at 1 %, looked at again and again.
private struct PeekingTest {
    private struct Sums {
        var count = 0.0, mean = 0.0, squares = 0.0
        mutating func add(_ value: Double) {
            count += 1
            let before = value - mean
            mean += before / count
            squares += before * (value - mean)
        }
    }

    private var old = Sums()
    private var new = Sums()
    private(set) var alarms = false

    mutating func add(_ value: Double, isCanary: Bool) {
        guard isCanary else { return old.add(value) }
        new.add(value)
        guard Int(new.count) % 20 == 0, old.count > 1 else { return }
        let variance = new.squares / (new.count - 1) / new.count + old.squares / (old.count - 1) / old.count
        // 2.326: the 99 % quantile of the normal distribution; with 20 calls and more Student's is little above it.
        if (new.mean - old.mean) / variance.squareRoot() > 2.326 { alarms = true }
    }
}
