import CSpillway
import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Chains of hashes")
struct ChainTests {
    private func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = RandomSource.seeded(seed)
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    private func prefix(
        _ text: [UInt8], block: Int = 64, stride: Int = 1, model: String = "m", salt: String = ""
    ) -> Prefix {
        text.withUnsafeBytes { Prefix(of: $0, model: model, salt: salt, blockBytes: block, blocksPerHash: stride) }
    }

    /// Those of xxHash's own sanity check, over the buffer which it generates.
    @Test(
        "XXH64 gives the published values",
        arguments: [
            (0, 0, 0xEF46_DB37_51D8_E999), (0, 0x9E37_79B1, 0xAC75_FDA2_929B_17EF),
            (1, 0, 0xE934_A84A_DB05_2768), (1, 0x9E37_79B1, 0x5014_6076_43A9_B4C3),
            (4, 0, 0x9136_A0DC_A574_57EE), (4, 0x9E37_79B1, 0xCAAB_286B_D8E9_FDB5),
            (14, 0, 0x8282_DCC4_994E_35C8), (14, 0x9E37_79B1, 0xC3BD_6BF6_3DEB_6DF0),
            (222, 0, 0xB641_AE8C_B691_C174), (222, 0x9E37_79B1, 0x20CB_8AB7_AE10_C14A),
        ] as [(Int, UInt64, UInt64)])
    func published(count: Int, seed: UInt64, expected: UInt64) {
        var word: UInt64 = 0x9E37_79B1
        let buffer = (0..<count).map { _ in
            defer { word &*= 0x9E37_79B1_85EB_CA8D }
            return UInt8(word >> 56)
        }
        #expect(SlowXXH64.hash(buffer, seed: seed) == expected)
        #expect(spw_hash_xxh64(buffer, buffer.count, seed) == expected)
    }

    @Test(
        "XXH64 of words",
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("The quick brown fox jumps over the lazy dog", 0x0B24_2D36_1FDA_71BC),
        ] as [(String, UInt64)])
    func words(text: String, expected: UInt64) {
        #expect(SlowXXH64.hash(Array(text.utf8)) == expected)
        #expect(spw_hash_xxh64(text, text.utf8.count, 0) == expected)
    }

    @Test("XXH64 of every length to 300 bytes, and of nothing at no address")
    func lengths() {
        for count in 0...300 {
            let text = bytes(count, seed: UInt64(count)), seed = UInt64(count) &* 0x1_0000_0001
            #expect(spw_hash_xxh64(text, count, seed) == SlowXXH64.hash(text, seed: seed), "\(count) bytes")
        }
        #expect(spw_hash_xxh64(nil, 0, 0) == 0xEF46_DB37_51D8_E999)
    }

    @Test(
        "a chain is that of llm-d: small blocks in one piece, and those above 1,024 bytes as a stream",
        arguments: [8, 9, 31, 64, 100, 1_016, 1_023, 1_024, 1_025, 1_032, 4_096, 65_536])
    func chain(block: Int) {
        for extra in [0, 1, block - 1] {
            let text = bytes(3 * block + extra, seed: UInt64(block))
            let expected = SlowXXH64.chain(text, block: block, model: "llama", salt: "tenant 7")
            #expect(expected.count == 3)
            #expect(prefix(text, block: block, model: "llama", salt: "tenant 7").hashes == expected, "\(extra) more")
        }
    }

    @Test("of n blocks the last is kept", arguments: [1, 2, 3, 7, 8, 16, 20, 21])
    func stride(_ stride: Int) {
        let text = bytes(20 * 64 + 63)
        let all = SlowXXH64.chain(text, block: 64, model: "m")
        let expected = all.enumerated().filter { ($0.offset + 1).isMultiple(of: stride) }.map(\.element)
        #expect(prefix(text, stride: stride).hashes == expected)
        #expect(expected.count == 20 / stride)
    }

    @Test("in C no more than asked for is written, and it says how many")
    func bounded() {
        let text = bytes(10 * 8), all = SlowXXH64.chain(text, block: 8, model: "m")
        let first = SlowXXH64.hash(Array("m".utf8))
        for most in 0...11 {
            var out = [UInt64](repeating: 7, count: 12)
            #expect(spw_hash_chain(text, text.count, 8, first, 1, &out, most) == min(most, 10))
            #expect(Array(out.prefix(min(most, 10))) == Array(all.prefix(most)))
            #expect(out.dropFirst(min(most, 10)).allSatisfy { $0 == 7 }, "nothing is written behind")
        }
    }

    @Test("text that is not aligned hashes alike")
    func unaligned() {
        let text = bytes(1_000)
        for shift in 1...9 {
            let moved = [UInt8](repeating: 0, count: shift) + text
            let hashes = moved.withUnsafeBytes {
                Prefix(of: UnsafeRawBufferPointer(rebasing: $0[shift...]), model: "m", blocksPerHash: 1).hashes
            }
            #expect(hashes == prefix(text).hashes)
        }
    }

    @Test("model and salt change every hash")
    func modelAndSalt() {
        let text = bytes(4_096)
        let kinds = [("m", ""), ("M", ""), ("m2", ""), ("", ""), ("m", "a"), ("m", "b"), ("", "b")]
        let all = kinds.map { prefix(text, model: $0.0, salt: $0.1).hashes }
        #expect(all.allSatisfy { $0.count == 64 })
        #expect(Set(all.joined()).count == kinds.count * 64)
        // As llm-d has it, there is nothing between the two.
        #expect(prefix(text, model: "m", salt: "2").hashes == prefix(text, model: "m2").hashes)
    }

    @Test("equal beginnings hash alike as far as the first difference, and never after it")
    func beginnings() {
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let text = bytes(Int.random(in: 64...3_000, using: &random), seed: seed)
            let at = Int.random(in: 0..<text.count, using: &random), stride = Int.random(in: 1...4, using: &random)
            var other = text
            other[at] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            let one = prefix(text, stride: stride).hashes, two = prefix(other, stride: stride).hashes
            let alike = min(at / (64 * stride), one.count)
            #expect(one.prefix(alike) == two.prefix(alike), "seed \(seed)")
            #expect(zip(one, two).dropFirst(alike).allSatisfy { $0 != $1 }, "seed \(seed)")
            // A text that goes on begins as this one does.
            #expect(prefix(text + bytes(500), stride: stride).hashes.starts(with: one), "seed \(seed)")
        }
    }

    @Test("blocks that are equal have different hashes, because what is before them counts")
    func repeated() {
        let hashes = prefix([UInt8](repeating: 0x20, count: 64 * 1_000)).hashes
        #expect(hashes.count == 1_000)
        #expect(Set(hashes).count == 1_000)
    }
}
