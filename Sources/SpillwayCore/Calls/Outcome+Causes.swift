extension Outcome {
    /// A set of causes.
    public struct Causes: SetAlgebra, Sendable, Hashable {
        @usableFromInline var bits: UInt64

        /// The empty set.
        public init() { bits = 0 }

        private init(bits: UInt64) { self.bits = bits }

        /// Whether `member` is in the set.
        @inlinable
        public func contains(_ member: Cause) -> Bool { bits & (1 << UInt64(member.code)) != 0 }

        /// Adds `member`.
        @discardableResult
        public mutating func insert(_ member: Cause) -> (inserted: Bool, memberAfterInsert: Cause) {
            defer { bits |= 1 << UInt64(member.code) }
            return (!contains(member), member)
        }

        /// Takes `member` out.
        @discardableResult
        public mutating func remove(_ member: Cause) -> Cause? {
            defer { bits &= ~(1 << UInt64(member.code)) }
            return contains(member) ? member : nil
        }

        /// Adds `member`; returns it when it was there.
        @discardableResult
        public mutating func update(with member: Cause) -> Cause? {
            insert(member).inserted ? nil : member
        }

        /// The causes in either set.
        public func union(_ other: Causes) -> Causes { Causes(bits: bits | other.bits) }
        /// The causes in both sets.
        public func intersection(_ other: Causes) -> Causes { Causes(bits: bits & other.bits) }
        /// The causes in one set alone.
        public func symmetricDifference(_ other: Causes) -> Causes { Causes(bits: bits ^ other.bits) }
        /// Adds the causes of `other`.
        public mutating func formUnion(_ other: Causes) { bits |= other.bits }
        /// Keeps the causes that are also in `other`.
        public mutating func formIntersection(_ other: Causes) { bits &= other.bits }
        /// Keeps the causes that are in one set alone.
        public mutating func formSymmetricDifference(_ other: Causes) { bits ^= other.bits }
    }
}
