internal import SpillwayCore

/// Who waits, and whose turn is next: a pure value, time is an argument.
///
/// What matters more goes first. Among calls that matter as much, tenants take turns by self-clocked fair queueing (Golestani
/// 1994): a tenant that begins to wait starts at the line's virtual time, each call that is let through moves its start on by the
/// call's cost ÷ the tenant's weight, and the tenant whose next call would end first is next; where it ends is the virtual time
/// then. So that moves on with each call, and whoever was served is not behind all who come anew. A cost is the largest of the
/// shares that a call takes of the resources, which makes it dominant-resource fair queueing (Ghodsi et al. 2012). Within a tenant
/// the oldest call is next, or the newest where the oldest has waited for too long anyway.
struct WaitingLine {
    /// A call that waits, or has waited and has not been collected yet.
    struct Place {
        let lane: Int
        let criticality: Criticality
        let cost: Double
        let since: Instant
        let latest: Instant
        fileprivate(set) var isInLine = true
        fileprivate var previous = -1
        fileprivate var next = -1
    }

    /// One tenant.
    private struct Lane {
        let key: String
        var weight: Double
        var start: Double
        // One list of places for each criticality.
        var first = SIMD4<Int>(repeating: -1)
        var last = SIMD4<Int>(repeating: -1)
        var counts = SIMD4<Int>(repeating: 0)

        var isEmpty: Bool { counts == .zero }
    }

    private(set) var places: [Place] = []
    private var freePlaces: [Int] = []
    private var lanes: [Lane] = []
    private var freeLanes: [Int] = []
    private var laneOf: [String: Int] = [:]
    /// The virtual time: where the call that was let through last ends.
    private var clock = 0.0
    /// Counts how often all was forgotten: what was charged before means nothing then.
    private(set) var era = 0
    /// How many wait, by criticality.
    private(set) var counts = SIMD4<Int>(repeating: 0)
    /// How many wait.
    private(set) var count = 0

    // MARK: - Coming and going

    /// Puts a call at the end of its tenant's lane.
    mutating func add(
        _ key: String, weight: Double, _ criticality: Criticality, cost: Double, since now: Instant, latest: Instant
    ) -> Int {
        let lane = lane(key, weight)
        let place = Place(lane: lane, criticality: criticality, cost: cost, since: now, latest: latest)
        let id: Int
        if let free = freePlaces.popLast() {
            id = free
            places[id] = place
        } else {
            id = places.count
            places.append(place)
        }
        let rank = Int(criticality.rawValue), last = lanes[lane].last[rank]
        if lanes[lane].isEmpty { lanes[lane].start = max(lanes[lane].start, clock) }
        places[id].previous = last
        if last >= 0 { places[last].next = id } else { lanes[lane].first[rank] = id }
        lanes[lane].last[rank] = id
        lanes[lane].counts[rank] += 1
        counts[rank] += 1
        count += 1
        return id
    }

    /// Takes a call out of the line; when it was let through, its tenant is charged.
    mutating func remove(_ id: Int, letThrough: Bool) {
        let place = places[id], lane = place.lane, rank = Int(place.criticality.rawValue)
        guard place.isInLine else { return }
        let (previous, next) = (place.previous, place.next)
        if previous >= 0 { places[previous].next = next } else { lanes[lane].first[rank] = next }
        if next >= 0 { places[next].previous = previous } else { lanes[lane].last[rank] = previous }
        places[id].isInLine = false
        lanes[lane].counts[rank] -= 1
        counts[rank] -= 1
        count -= 1
        if letThrough {
            lanes[lane].start += place.cost / lanes[lane].weight
            clock = max(clock, lanes[lane].start)
        }
        if count == 0 { forgetAll() }
    }

    /// Forgets a call that is out of the line, so that its place is another's.
    mutating func free(_ id: Int) { freePlaces.append(id) }

    /// Charges a tenant for what a call that was let through in `era` took beyond its cost; below 0: gives back.
    ///
    /// Nobody saves up turns: no start is before the virtual time.
    mutating func charge(_ key: String, _ more: Double, era: Int) {
        guard era == self.era, let lane = laneOf[key] else { return }
        lanes[lane].start = max(clock, lanes[lane].start + more / lanes[lane].weight)
    }

    // MARK: - Whose turn it is

    /// The call whose turn is next; nil when none waits.
    ///
    /// Looks at all tenants: what it takes grows with how many wait.
    func next(newestFirstAfter patience: Int64, at now: Instant) -> Int? {
        guard let rank = counts.lastRank else { return nil }
        var best = -1, earliest = Double.infinity
        for lane in lanes.indices where lanes[lane].counts[rank] > 0 {
            let oldest = lanes[lane].first[rank]
            let next = places[oldest].age(at: now) > patience ? lanes[lane].last[rank] : oldest
            let end = lanes[lane].start + places[next].cost / lanes[lane].weight
            if end < earliest || end == earliest && places[next].since < places[best].since {
                (best, earliest) = (next, end)
            }
        }
        return best
    }

    /// Who has the least right to wait: of what matters least, the tenant with the most calls for its weight; its newest call, or
    /// the oldest where that has waited for longer than `patience`.
    ///
    /// - Parameter newcomer: A call that is about to join counts as its tenant's newest; nil: none is.
    /// - Returns: The call; nil when it is the newcomer itself, or none waits.
    func victim(
        newestFirstAfter patience: Int64, newcomer: (key: String, weight: Double, criticality: Criticality)?,
        at now: Instant
    ) -> Int? {
        guard let rank = counts.firstRank else { return nil }
        let own = newcomer.map { Int($0.criticality.rawValue) } ?? 4
        guard rank <= own else { return nil }
        var best = -1, most = 0.0
        if let newcomer, own == rank {
            let waiting = laneOf[newcomer.key].map { lanes[$0].counts[rank] } ?? 0
            most = Double(waiting + 1) / newcomer.weight
        }
        for lane in lanes.indices where lanes[lane].counts[rank] > 0 {
            let share = Double(lanes[lane].counts[rank]) / lanes[lane].weight
            if share > most { (best, most) = (lane, share) }
        }
        if best < 0 {
            // The newcomer's own tenant has the most: where its newest goes first, its oldest makes room.
            guard let newcomer, let lane = laneOf[newcomer.key], lanes[lane].counts[rank] > 0 else { return nil }
            let oldest = lanes[lane].first[rank]
            return places[oldest].age(at: now) > patience ? oldest : nil
        }
        let oldest = lanes[best].first[rank]
        return places[oldest].age(at: now) > patience ? oldest : lanes[best].last[rank]
    }

    /// The calls in line, in no order.
    var waiting: [Int] { places.indices.filter { places[$0].isInLine } }

    /// When the call that has waited longest began to; nil when none waits.
    var oldest: Instant? {
        var oldest: Instant?
        for lane in lanes {
            for rank in 0..<4 where lane.first[rank] >= 0 {
                let since = places[lane.first[rank]].since
                if oldest.map({ since < $0 }) ?? true { oldest = since }
            }
        }
        return oldest
    }

    // MARK: - Lanes

    /// How many tenants it has places for.
    var laneCount: Int { lanes.count }

    private mutating func lane(_ key: String, _ weight: Double) -> Int {
        if let lane = laneOf[key] {
            lanes[lane].weight = weight
            return lane
        }
        if freeLanes.isEmpty, lanes.count >= 64 + 2 * count { forgetIdle() }
        let lane = Lane(key: key, weight: weight, start: clock)
        if let free = freeLanes.popLast() {
            lanes[free] = lane
            laneOf[key] = free
            return free
        }
        lanes.append(lane)
        laneOf[key] = lanes.count - 1
        return lanes.count - 1
    }

    /// A tenant that does not wait and is not ahead of the others is like one that was never here.
    private mutating func forgetIdle() {
        for lane in lanes.indices where lanes[lane].isEmpty && lanes[lane].start <= clock {
            guard laneOf[lanes[lane].key] == lane else { continue }
            laneOf[lanes[lane].key] = nil
            freeLanes.append(lane)
        }
    }

    /// Where none waits there is nothing to share: everybody begins anew.
    private mutating func forgetAll() {
        lanes.removeAll(keepingCapacity: true)
        freeLanes.removeAll(keepingCapacity: true)
        laneOf.removeAll(keepingCapacity: true)
        clock = 0
        era += 1
    }
}

extension WaitingLine.Place {
    /// Nanoseconds that it has waited.
    func age(at now: Instant) -> Int64 { since.duration(to: now).clampedNanoseconds }
}

extension SIMD4<Int> {
    fileprivate var firstRank: Int? { indices.first { self[$0] > 0 } }
    fileprivate var lastRank: Int? { indices.reversed().first { self[$0] > 0 } }
}
