/// A set of the replicas of one fleet, by their places in its list.
struct ReplicaSet: Sendable, Hashable {
    /// As many replicas as a fleet may have.
    static let capacity = 256

    private var words: SIMD4<UInt64> = .zero

    var isEmpty: Bool { words == .zero }
    var count: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

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
