internal import SpillwayCore

/// Who is in flight by partition; under the lock of the limit.
struct PartitionPlaces {
    private var partitions: ConcurrencyLimit.Partitions?
    private var indices: [String: Int] = [:]
    /// Calls in flight and the share of each partition.
    ///
    /// Memory that is never moved, so that nothing is allocated to change a number.
    private let counts: UnsafeMutablePointer<Int>
    private let shares: UnsafeMutablePointer<Double>
    private var size = 0
    /// Changes when partitions are others: a call that was let in before leaves no place of theirs.
    private var layout: UInt32 = 0

    init() {
        // One more for the calls without a share.
        counts = .allocate(capacity: ConcurrencyLimit.Partitions.most + 1)
        shares = .allocate(capacity: ConcurrencyLimit.Partitions.most + 1)
        counts.initialize(repeating: 0, count: ConcurrencyLimit.Partitions.most + 1)
        shares.initialize(repeating: 0, count: ConcurrencyLimit.Partitions.most + 1)
    }

    func free() {
        counts.deallocate()
        shares.deallocate()
    }

    /// Sets the shares; partitions of the same names keep their calls in flight.
    mutating func set(_ new: ConcurrencyLimit.Partitions?) {
        let old = partitions
        partitions = new
        let names: [(name: String, share: Double)] =
            switch new?.kind {
            case nil: []
            case .criticality(let values): Criticality.allCases.map { ("", values[$0] ?? 0) }
            case .key(let values): [("", 0)] + values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            }
        if !Self.areAlike(old, new) {
            layout &+= 1
            counts.update(repeating: 0, count: ConcurrencyLimit.Partitions.most + 1)
            indices = [:]
            if case .key = new?.kind {
                for (index, entry) in names.enumerated().dropFirst() { indices[entry.name] = index }
            }
        }
        size = names.count
        for (index, entry) in names.enumerated() { shares[index] = entry.share }
    }

    private static func areAlike(_ old: ConcurrencyLimit.Partitions?, _ new: ConcurrencyLimit.Partitions?) -> Bool {
        switch (old?.kind, new?.kind) {
        case (nil, nil), (.criticality, .criticality): true
        case (.key(let old), .key(let new)): Set(old.keys) == Set(new.keys)
        default: false
        }
    }

    /// The partition of a call.
    func index(of call: Call, _ criticality: Criticality) -> Int {
        if case .criticality = partitions?.kind { return Int(criticality.rawValue) }
        return call.key.flatMap { indices[$0] } ?? 0
    }

    /// How many calls may be in flight for one more of partition `index` to pass; nil: it passes in any case.
    func bound(_ index: Int, of limit: Int) -> Int? {
        let kept = 1 - (partitions?.lending ?? 1)
        guard size > 0, counts[index] >= guaranteed(index, of: limit) else { return kept == 1 ? limit : nil }
        guard kept > 0 else { return limit }
        var unused = 0
        for other in 0..<size where other != index {
            unused += max(0, guaranteed(other, of: limit) - counts[other])
        }
        return max(0, limit - Int((kept * Double(unused)).rounded(.up)))
    }

    private func guaranteed(_ index: Int, of limit: Int) -> Int {
        // A share of 0.1 of 30 is 3, whatever the last digit of 0.1 is.
        Int(Double(limit) * shares[index] + 1e-9)
    }

    /// Counts a call in, and says what its permit must remember.
    func enter(_ index: Int) -> UInt64 {
        counts[index] += 1
        return UInt64(layout) << 32 | UInt64(index + 1) << 16
    }

    /// Counts a call out.
    func leave(_ mark: UInt64) {
        guard UInt32(truncatingIfNeeded: mark >> 32) == layout else { return }
        counts[Int(mark >> 16 & 0xFFFF) - 1] -= 1
    }

    /// Forgets all.
    mutating func clear() {
        partitions = nil
        indices = [:]
        size = 0
        layout &+= 1
        counts.update(repeating: 0, count: ConcurrencyLimit.Partitions.most + 1)
    }
}
