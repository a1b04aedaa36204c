internal import SpillwayCore
internal import Synchronization

extension ModelRouter {
    /// The one of `candidates`, which are not none, that the tier's rule prefers.
    func choose(_ candidates: UInt64, in tier: Int, _ call: borrowing Call, at now: Instant) -> Int {
        let first = candidates.trailingZeroBitCount
        if candidates & (candidates - 1) == 0 { return first }
        switch rungs.rows[tier].rule {
        case .inOrder, .rollout:
            return first
        case .rotating:
            return rotated(candidates)
        case .weighted:
            guard case .weighted(let random) = tiers[tier].choice else { return first }
            return weighted(candidates, random)
        case .leastLatency:
            return fastest(candidates, at: now)
        case .leastLoad:
            return least(candidates) { Double(ratings.inFlight($0)) / ratings.rows[$0].weight }
        case .cheapest(let goal):
            return cheapest(candidates, within: goal, call, at: now)
        case .byDifficulty:
            let able = candidates & good(candidates, from: call.needs.difficulty)
            if able != 0 { return cheapest(able, within: .max, call, at: now) }
            return least(candidates) { -ratings.rows[$0].quality }
        }
    }

    /// Those whose quality is no less than `floor`.
    func good(_ candidates: UInt64, from floor: Double) -> UInt64 {
        var good: UInt64 = 0
        forEach(candidates) { if ratings.rows[$0].quality >= floor { good |= 1 << UInt64($0) } }
        return good
    }

    private func cheapest(_ candidates: UInt64, within goal: Int64, _ call: borrowing Call, at now: Instant) -> Int {
        var best = -1, price = Int64.max
        var rest = candidates
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard goal == .max || ratings.latency(place, at: now) <= goal else { continue }
            let cost = ratings.cost(place, call, at: now)
            if best < 0 || cost < price { (best, price) = (place, cost) }
        }
        return best >= 0 ? best : fastest(candidates, at: now)
    }

    /// Of those that are equally fast the one with the fewest calls, so that what is not known yet is asked by turns.
    private func fastest(_ candidates: UInt64, at now: Instant) -> Int {
        var best = -1, latency = Int64.max, calls = Int.max
        var rest = candidates
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            let own = ratings.latency(place, at: now)
            guard best < 0 || own <= latency else { continue }
            let inFlight = ratings.inFlight(place)
            if best < 0 || own < latency || inFlight < calls { (best, latency, calls) = (place, own, inFlight) }
        }
        return best
    }

    /// The one of the least measure; of equals the next in turn, so that none of them gets all.
    private func least(_ candidates: UInt64, _ measure: (Int) -> Double) -> Int {
        var best = -1, value = Double.infinity, equals: UInt64 = 0
        forEach(candidates) { place in
            let own = measure(place)
            if best < 0 || own < value {
                (best, value) = (place, own)
                equals = 0
            }
            if own == value { equals |= 1 << UInt64(place) }
        }
        return equals & (equals - 1) == 0 ? best : rotated(equals)
    }

    private func rotated(_ candidates: UInt64) -> Int {
        let number = UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue)
        var skip = number % UInt(candidates.nonzeroBitCount), rest = candidates
        while skip > 0 {
            rest &= rest - 1
            skip -= 1
        }
        return rest.trailingZeroBitCount
    }

    private func weighted(_ candidates: UInt64, _ random: RandomSource) -> Int {
        var sum = 0.0
        forEach(candidates) { sum += ratings.rows[$0].weight }
        // 53 random bits, which a double holds exactly.
        var point = Double(random.next() >> 11) / Double(1 << 53) * sum
        var rest = candidates
        while rest & (rest - 1) != 0 {
            let place = rest.trailingZeroBitCount
            point -= ratings.rows[place].weight
            if point < 0 { return place }
            rest &= rest - 1
        }
        return rest.trailingZeroBitCount
    }

    @inline(__always)
    func forEach(_ places: UInt64, _ body: (Int) -> Void) {
        var rest = places
        while rest != 0 {
            body(rest.trailingZeroBitCount)
            rest &= rest - 1
        }
    }
}
