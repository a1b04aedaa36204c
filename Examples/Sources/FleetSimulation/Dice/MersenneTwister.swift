/// The generator of Python's `random.Random`, number for number.
///
/// MT19937 by Matsumoto and Nishimura (*ACM TOMACS* 8, 1998), seeded by `init_by_array` as CPython does with an integer,
/// so that a simulation published in Python can be repeated exactly.
struct MersenneTwister: Sendable {
    private static let size = 624
    private var state: [UInt32]
    private var next = MersenneTwister.size

    /// The generator of `random.Random(seed)`.
    init(seed: UInt64) {
        let high = UInt32(truncatingIfNeeded: seed >> 32)
        let key = [UInt32(truncatingIfNeeded: seed)] + (high > 0 ? [high] : [])
        let size = Self.size
        state = [19_650_218]
        for i in 1..<size { state.append(1_812_433_253 &* Self.folded(state[i - 1]) &+ UInt32(i)) }
        var (i, j) = (1, 0)
        func wrap(_ state: inout [UInt32]) {
            i += 1
            if i >= size {
                state[0] = state[size - 1]
                i = 1
            }
        }
        for _ in 0..<size {
            state[i] = (state[i] ^ Self.folded(state[i - 1]) &* 1_664_525) &+ key[j] &+ UInt32(j)
            j = (j + 1) % key.count
            wrap(&state)
        }
        for _ in 1..<size {
            state[i] = (state[i] ^ Self.folded(state[i - 1]) &* 1_566_083_941) &- UInt32(i)
            wrap(&state)
        }
        state[0] = 0x8000_0000
    }

    /// `random()`: a number from 0 up to, but not including, 1, with 53 random bits.
    mutating func unit() -> Double {
        let high = bits() >> 5
        let low = bits() >> 6
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }

    /// `randrange(count)`, which `choice` draws its place with: whole bits until they fit.
    mutating func below(_ count: Int) -> Int {
        let unwanted = UInt32(count).leadingZeroBitCount
        while true {
            let drawn = Int(bits() >> UInt32(unwanted))
            if drawn < count { return drawn }
        }
    }

    /// The next 32 bits.
    mutating func bits() -> UInt32 {
        if next == Self.size { refill() }
        var word = state[next]
        next += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9d2c_5680
        word ^= (word << 15) & 0xefc6_0000
        return word ^ (word >> 18)
    }

    private mutating func refill() {
        let size = Self.size
        for i in 0..<size {
            let word = (state[i] & 0x8000_0000) | (state[(i + 1) % size] & 0x7fff_ffff)
            state[i] = state[(i + 397) % size] ^ (word >> 1) ^ (word & 1 == 1 ? 0x9908_b0df : 0)
        }
        next = 0
    }

    private static func folded(_ word: UInt32) -> UInt32 { word ^ (word >> 30) }
}
