internal import SpillwayCore

/// The permits of one attempt, in the frame of the call: no memory is allocated for them.
struct PermitStack {
    static let capacity = 8

    private typealias Words = (UInt64, UInt64, UInt64, UInt64)
    // Zeroes until a permit is put there; an array of optionals would cost more to fill than the gates take.
    private var slots: (Words, Words, Words, Words, Words, Words, Words, Words) = (
        (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)
    )
    private(set) var count = 0

    mutating func push(_ raw: RawPermit) {
        precondition(count < Self.capacity, "a policy plan lets no attempt pass more than \(Self.capacity) gates")
        let offset = count * MemoryLayout<RawPermit>.stride
        withUnsafeMutableBytes(of: &slots) { $0.storeBytes(of: raw, toByteOffset: offset, as: RawPermit.self) }
        count += 1
    }

    /// Those whose gates want to know what calls use.
    var metered: [RawPermit] {
        (0..<count).map(raw).filter { $0.state._withUnsafeGuaranteedRef(\.isMetered) }
    }

    /// Settles all with `outcome`, the last first.
    mutating func settle(_ outcome: Outcome, at now: Instant) {
        drop(to: 0, outcome, at: now)
    }

    /// Gives back those above the first `keep`, the last first: the call never ran.
    mutating func void(to keep: Int, at now: Instant) {
        drop(to: keep, nil, at: now)
    }

    private mutating func drop(to keep: Int, _ outcome: Outcome?, at now: Instant) {
        while count > keep {
            count -= 1
            raw(count).settle(outcome, at: now)
        }
    }

    private func raw(_ index: Int) -> RawPermit {
        withUnsafeBytes(of: slots) {
            $0.load(fromByteOffset: index * MemoryLayout<RawPermit>.stride, as: RawPermit.self)
        }
    }
}
