/// XXH64 as its specification tells it, step by step, to check the fast one against.
///
/// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
enum SlowXXH64 {
    private static let primes: [UInt64] = [
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
        0x27D4_EB2F_1656_67C5,
    ]

    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }

    private static func lane(_ accumulator: UInt64, _ input: UInt64) -> UInt64 {
        rotated(accumulator &+ input &* primes[1], 31) &* primes[0]
    }

    private static func little(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        var rest = bytes[...]
        var hash: UInt64
        if bytes.count >= 32 {
            var lanes = [seed &+ primes[0] &+ primes[1], seed &+ primes[1], seed, seed &- primes[0]]
            while rest.count >= 32 {
                for index in lanes.indices {
                    lanes[index] = lane(lanes[index], little(rest.prefix(8)))
                    rest = rest.dropFirst(8)
                }
            }
            hash = rotated(lanes[0], 1) &+ rotated(lanes[1], 7) &+ rotated(lanes[2], 12) &+ rotated(lanes[3], 18)
            for index in lanes.indices { hash = (hash ^ lane(0, lanes[index])) &* primes[0] &+ primes[3] }
        } else {
            hash = seed &+ primes[4]
        }
        hash &+= UInt64(bytes.count)
        while rest.count >= 8 {
            hash = rotated(hash ^ lane(0, little(rest.prefix(8))), 27) &* primes[0] &+ primes[3]
            rest = rest.dropFirst(8)
        }
        if rest.count >= 4 {
            hash = rotated(hash ^ little(rest.prefix(4)) &* primes[0], 23) &* primes[1] &+ primes[2]
            rest = rest.dropFirst(4)
        }
        for byte in rest { hash = rotated(hash ^ UInt64(byte) &* primes[4], 11) &* primes[0] }
        hash = (hash ^ hash >> 33) &* primes[1]
        hash = (hash ^ hash >> 29) &* primes[2]
        return hash ^ hash >> 32
    }

    /// llm-d's chain: of each block and the hash before it, little endian.
    static func chain(_ text: [UInt8], block: Int, model: String, salt: String = "") -> [UInt64] {
        var before = hash(Array(model.utf8) + Array(salt.utf8))
        var rest = text[...]
        var all: [UInt64] = []
        while rest.count >= block {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: before >> (8 * UInt64($0))) }
            before = hash(Array(rest.prefix(block)) + bytes)
            all.append(before)
            rest = rest.dropFirst(block)
        }
        return all
    }
}
