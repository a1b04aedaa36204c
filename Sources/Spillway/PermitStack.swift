@_spi(SpillwayGates) internal import SpillwayCore

/// The permits of one attempt, in the frame of the call: no memory is allocated for them.
struct PermitStack {
    static let capacity = 8

    private typealias Slots = (Slot, Slot, Slot, Slot, Slot, Slot, Slot, Slot)
    private typealias Slot = RawPermit?

    private var slots: Slots = (nil, nil, nil, nil, nil, nil, nil, nil)
    private(set) var count = 0

    mutating func push(_ raw: RawPermit) {
        withUnsafeMutableBytes(of: &slots) { $0.assumingMemoryBound(to: Slot.self)[count] = raw }
        count += 1
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
            let index = count
            let raw = withUnsafeBytes(of: &slots) { $0.assumingMemoryBound(to: Slot.self)[index] }
            raw?.settle(outcome, at: now)
        }
    }
}
