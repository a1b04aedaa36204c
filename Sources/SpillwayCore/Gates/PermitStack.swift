/// The permits of one attempt, in the frame of the call: no memory is allocated for them.
@usableFromInline
package struct PermitStack: Sendable {
    @inlinable package static var capacity: Int { 8 }

    @usableFromInline typealias Words = (UInt64, UInt64, UInt64, UInt64)
    // Zeroes until a permit is put there; an array of optionals would cost more to fill than the gates take.
    @usableFromInline var slots: (Words, Words, Words, Words, Words, Words, Words, Words) = (
        (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)
    )
    @usableFromInline package internal(set) var count = 0

    @inlinable package init() {}

    @inlinable package mutating func push(_ raw: RawPermit) {
        precondition(count < Self.capacity, "a policy plan lets no attempt pass more than \(Self.capacity) gates")
        let offset = count * MemoryLayout<RawPermit>.stride
        withUnsafeMutableBytes(of: &slots) { $0.storeBytes(of: raw, toByteOffset: offset, as: RawPermit.self) }
        count += 1
    }

    /// Looks at each, the first first.
    @inlinable package func forEach(_ body: (RawPermit) -> Void) {
        withUnsafeBytes(of: slots) { slots in
            for index in 0..<count {
                body(slots.load(fromByteOffset: index * MemoryLayout<RawPermit>.stride, as: RawPermit.self))
            }
        }
    }

    /// Settles all with `outcome`, the last first.
    @inlinable package mutating func settle(_ outcome: Outcome, at now: Instant) {
        drop(to: 0, outcome, at: now)
    }

    /// Settles all with `outcome` and what was measured, the last first.
    @inlinable package mutating func settle(_ outcome: Outcome, _ measured: Measurements, at now: Instant) {
        while count > 0 {
            count -= 1
            raw(count).settle(outcome, measured, at: now)
        }
    }

    /// Gives back those above the first `keep`, the last first: the call never ran.
    @inlinable package mutating func void(to keep: Int, at now: Instant) {
        drop(to: keep, nil, at: now)
    }

    @inlinable mutating func drop(to keep: Int, _ outcome: Outcome?, at now: Instant) {
        while count > keep {
            count -= 1
            raw(count).settle(outcome, at: now)
        }
    }

    /// Mutating, so that the slots are read where they lie and not copied first.
    @inlinable mutating func raw(_ index: Int) -> RawPermit {
        withUnsafeBytes(of: &slots) {
            $0.load(fromByteOffset: index * MemoryLayout<RawPermit>.stride, as: RawPermit.self)
        }
    }
}
