import Admission
import SpillwayCore

/// Seconds after the clock's origin.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// Runs `body` for each of `count` seeds; what it expects names the seed.
func forSeeds(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

/// A bucket that counts calls, unless `unit` says otherwise.
func makeBucket(_ rate: Rate, burst: UInt32, unit: Unit = .calls) throws -> TokenBucket {
    try TokenBucket("bucket", .init(rate: rate, burst: burst, unit: unit))
}

extension TokenBucket {
    /// Takes `cost` units for good, or says why not.
    func refusal(_ cost: UInt32 = 1, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try admit(cost: cost, at: now).settle(.success, at: now)
            return nil
        } catch {
            return error
        }
    }

    /// Whether `cost` units could be taken; they are, for good.
    @discardableResult
    func take(_ cost: UInt32 = 1, at now: Instant) -> Bool { refusal(cost, at: now) == nil }

    /// How many single units can be taken at `now`, up to `most`.
    func drain(at now: Instant, most: Int = 1_000_000) -> Int {
        var taken = 0
        while taken < most, take(at: now) { taken += 1 }
        return taken
    }
}

extension KeyedTokenBucket {
    /// Takes `cost` units for good, or says why not.
    func refusal(_ key: UInt64, _ cost: UInt32 = 1, at now: Instant) -> Rejection? {
        do throws(Rejection) {
            try admit(key, cost: cost, at: now).settle(.success, at: now)
            return nil
        } catch {
            return error
        }
    }

    /// Whether `cost` units could be taken; they are, for good.
    @discardableResult
    func take(_ key: UInt64, _ cost: UInt32 = 1, at now: Instant) -> Bool { refusal(key, cost, at: now) == nil }

    /// How many single units of `key` can be taken at `now`, up to `most`.
    func drain(_ key: UInt64, at now: Instant, most: Int = 1_000_000) -> Int {
        var taken = 0
        while taken < most, take(key, at: now) { taken += 1 }
        return taken
    }
}

/// Adds up what `count` tasks return.
func sum(over count: Int, _ body: @escaping @Sendable (Int) -> Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        for task in 0..<count { group.addTask { body(task) } }
        return await group.reduce(0, +)
    }
}

/// What passed a bucket and when, to be compared with what its limit allows: by brute force, over every span.
struct Passage {
    struct Use {
        let at: Instant
        let cost: UInt32
        var ran = true
    }

    var uses: [Use] = []

    /// The units by which the worst span exceeds `burst + rate × span`; nil when none does.
    func excess(over burst: UInt32, perSecond rate: Double) -> Double? {
        let ran = uses.filter(\.ran).sorted { $0.at < $1.at }
        var worst = 0.0
        for first in ran.indices {
            var units = 0.0
            for use in ran[first...] {
                units += Double(use.cost)
                let span = Double(use.at.nanoseconds - ran[first].at.nanoseconds) / 1e9
                worst = max(worst, units - Double(burst) - rate * span)
            }
        }
        // Rates are rounded to whole ticks, always down.
        return worst > 1e-6 ? worst : nil
    }
}

/// A permit in a place that can be part of an array.
final class HeldPermit {
    private var permit: Permit?
    let use: Int

    init(_ permit: consuming Permit, use: Int) {
        self.permit = consume permit
        self.use = use
    }

    func void(at now: Instant) { permit.take()?.void(at: now) }
    func keep(at now: Instant) { permit.take()?.settle(.success, at: now) }
}
