internal import SpillwayCore

/// What the walk down a ladder reads of its tiers, one row for each, and the gates of all places.
///
/// In buffers of plain values, because to walk arrays of tiers would count references to them.
final class Rungs: @unchecked Sendable {
    struct Row {
        let isModel: Bool
        let isSpare: Bool
        /// One bit for each of its places.
        let places: UInt64
        /// How much time must be left, in nanoseconds.
        let time: Int64
        let hasLoad: Bool
        /// 0: as the call has it.
        let maxOutput: UInt32
        let hasFallbacks: Bool
        /// The next tier where no fallback says otherwise; nil: none.
        let following: Int?
        let mode: ServiceMode
        let rule: Rule
    }

    /// A tier's `Choice`, without what is counted.
    enum Rule {
        case inOrder, rotating, weighted, leastLatency, leastLoad, byDifficulty, rollout
        /// Nanoseconds.
        case cheapest(within: Int64)
    }

    let rows: UnsafeMutableBufferPointer<Row>
    private let gates: UnsafeMutableBufferPointer<Unmanaged<GateState>>
    /// Where the gates of each place begin; one more for the end.
    private let starts: UnsafeMutableBufferPointer<Int>

    init(_ tiers: [Tier], _ names: [GateName], _ places: [ModelRouter.Place]) {
        rows = .allocate(capacity: tiers.count)
        _ = rows.initialize(
            from: tiers.enumerated().map { index, tier in
                Row(
                    isModel: tier.kind == .model, isSpare: tier.isSpare,
                    places: places.indices.reduce(0) { places[$1].tier == index ? $0 | 1 << UInt64($1) : $0 },
                    time: tier.needs.time.clampedNanoseconds, hasLoad: tier.needs.load != nil,
                    maxOutput: UInt32(tier.maxOutput ?? 0), hasFallbacks: !tier.fallbacks.isEmpty,
                    following: ModelRouter.next(after: index, tiers),
                    mode: ServiceMode(
                        names[index], level: index, kind: tier.kind, changes: tier.changes(level: index), reason: nil),
                    rule: tier.choice.rule)
            })
        let all = places.map(\.gates.states)
        gates = .allocate(capacity: all.reduce(0) { $0 + $1.count })
        _ = gates.initialize(from: all.joined())
        starts = .allocate(capacity: places.count + 1)
        _ = starts.initialize(from: all.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) })
    }

    deinit {
        rows.deallocate()
        gates.deallocate()
        starts.deallocate()
    }

    /// Passes the gates of a place; what those before the one that refuses gave is the caller's to give back.
    func admit(_ place: Int, _ call: Call, _ permits: inout PermitStack, at now: Instant) throws(Rejection) {
        var index = starts[place]
        let end = starts[place + 1]
        while index < end {
            try permits.admit(gates[index], call, at: now)
            index += 1
        }
    }
}

extension Choice {
    var rule: Rungs.Rule {
        switch self {
        case .inOrder: .inOrder
        case .rotating: .rotating
        case .weighted: .weighted
        case .leastLatency: .leastLatency
        case .leastLoad: .leastLoad
        case .byDifficulty: .byDifficulty
        case .rollout: .rollout
        case .cheapest(let goal): .cheapest(within: goal.clampedNanoseconds)
        }
    }
}
