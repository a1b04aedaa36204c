/// A set of the replicas of one fleet, by their places in its list.
struct ReplicaSet: Sendable, Hashable {
    /// As many replicas as a fleet may have.
    static let capacity = 256

    private var words: SIMD4<UInt64> = .zero

    var isEmpty: Bool { words == .zero }
    var count: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

    /// Two sets of the first `count` places, by whether `has` says that each is in the one and in the other.
    @inline(__always)
    static func two(of count: Int, _ has: (Int) -> (Bool, Bool)) -> (ReplicaSet, ReplicaSet) {
        var both = (ReplicaSet(), ReplicaSet())
        // A word at a time: setting one bit of a vector takes longer than all else that is done for a place.
        for word in 0..<(count + 63) / 64 {
            var bits: (UInt64, UInt64) = (0, 0)
            for bit in 0..<min(64, count - word * 64) {
                let (one, other) = has(word * 64 + bit)
                bits.0 |= (one ? 1 : 0) << UInt64(bit)
                bits.1 |= (other ? 1 : 0) << UInt64(bit)
            }
            both.0.words[word] = bits.0
            both.1.words[word] = bits.1
        }
        return both
    }

    func contains(_ place: Int) -> Bool { words[place >> 6] & 1 << UInt64(place & 63) != 0 }
    mutating func insert(_ place: Int) { words[place >> 6] |= 1 << UInt64(place & 63) }
    mutating func remove(_ place: Int) { words[place >> 6] &= ~(1 << UInt64(place & 63)) }

    mutating func formUnion(_ other: ReplicaSet) { words |= other.words }

    func subtracting(_ other: ReplicaSet) -> ReplicaSet {
        var rest = self
        rest.words &= ~other.words
        return rest
    }

    func intersection(_ other: ReplicaSet) -> ReplicaSet {
        var both = self
        both.words &= other.words
        return both
    }

    @inline(__always)
    func forEach(_ body: (Int) -> Void) {
        for word in 0..<4 {
            var rest = words[word]
            while rest != 0 {
                body(word << 6 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }
}
