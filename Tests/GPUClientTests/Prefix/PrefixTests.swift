import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Prefixes")
struct PrefixTests {
    private func prefix(
        _ count: Int, model: String = "m", tokens: Int? = nil, blockBytes: Int = 64, blocksPerHash: Int = 8
    ) -> Prefix {
        [UInt8](repeating: 0x61, count: count).withUnsafeBytes {
            Prefix(of: $0, model: model, tokens: tokens, blockBytes: blockBytes, blocksPerHash: blocksPerHash)
        }
    }

    @Test("a string hashes as its bytes do: 512 bytes a hash, what is left over has none")
    func string() {
        let text = String(repeating: "naïve ☃ ", count: 200)
        let utf8 = Array(text.utf8)
        let all = SlowXXH64.chain(utf8, block: 64, model: "m", salt: "s")
        let prefix = Prefix(of: text, model: "m", salt: "s")
        #expect(prefix.hashes == stride(from: 7, to: all.count, by: 8).map { all[$0] })
        #expect(prefix.hashes.count == utf8.count / 512)
        #expect(prefix.tokens == (utf8.count + 3) / 4)
        #expect(prefix.tokensPerHash == 128)
    }

    @Test("nothing, and a text shorter than what a hash stands for, have tokens and no hashes")
    func short() {
        let empty = Prefix(of: "", model: "m")
        #expect(empty.hashes.isEmpty)
        #expect(empty.tokens == 0)
        #expect(empty.tokensPerHash >= 1)
        let none = Prefix(of: UnsafeRawBufferPointer(start: nil, count: 0), model: "m", tokens: 5)
        #expect(none.hashes.isEmpty)
        #expect(none.tokens == 5)
        for count in [1, 63, 64, 511] {
            #expect(prefix(count).hashes.isEmpty)
            #expect(prefix(count).tokens == (count + 3) / 4)
            #expect(prefix(count).tokensPerHash >= 1)
        }
        #expect(prefix(512).hashes.count == 1)
        #expect(prefix(1_023).hashes.count == 1)
        #expect(prefix(1_024).hashes.count == 2)
    }

    @Test("sizes outside their bounds are brought to them")
    func sizes() {
        #expect(prefix(800, blockBytes: 0, blocksPerHash: 1) == prefix(800, blockBytes: 8, blocksPerHash: 1))
        #expect(prefix(800, blockBytes: .min, blocksPerHash: .min) == prefix(800, blockBytes: 8, blocksPerHash: 1))
        #expect(prefix(800, blockBytes: -64, blocksPerHash: 0).hashes.count == 100)
        #expect(prefix(800, blockBytes: .max, blocksPerHash: .max).hashes.isEmpty)
        #expect(prefix(65_536, blockBytes: .max, blocksPerHash: 1).hashes.count == 1)
        #expect(prefix(8 * 1_024, blockBytes: 8, blocksPerHash: .max).hashes.count == 1)
    }

    @Test("no more than the most hashes are kept, and they are the first")
    func most() {
        let all = prefix(8 * (Prefix.mostHashes + 50), blockBytes: 8, blocksPerHash: 1)
        #expect(all.hashes.count == Prefix.mostHashes)
        #expect(all.hashes == prefix(8 * Prefix.mostHashes, blockBytes: 8, blocksPerHash: 1).hashes)
        #expect(all.tokens == 2 * (Prefix.mostHashes + 50), "all of it has to be computed")
        let ids = Prefix(tokenIDs: Array(0..<5_000), model: "m", tokensPerHash: 1)
        #expect(ids.hashes.count == Prefix.mostHashes)
        #expect(ids.tokens == 5_000)
        #expect(Prefix(blocks: Array(0..<5_000), tokensPerBlock: 1, tokens: 5_000).hashes.count == Prefix.mostHashes)
    }

    @Test("tokens that are told count, and what a hash stands for follows them")
    func tokens() {
        #expect(prefix(5_120).tokensPerHash == 128)
        #expect(prefix(5_120, tokens: 2_560).tokensPerHash == 256)
        #expect(prefix(5_120, tokens: 1_000).tokensPerHash == 100)
        #expect(prefix(5_120, tokens: 0).tokens == 0)
        #expect(prefix(5_120, tokens: -9).tokens == 0)
        #expect(prefix(5_120, tokens: -9).tokensPerHash == 1)
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let one = prefix(
                Int.random(in: 0...20_000, using: &random), tokens: Int.random(in: 0...40_000, using: &random),
                blockBytes: Int.random(in: 8...300, using: &random),
                blocksPerHash: Int.random(in: 1...20, using: &random))
            // One token for each hash is the least, though there be fewer tokens.
            #expect(one.hashes.count * one.tokensPerHash <= max(one.tokens, one.hashes.count), "seed \(seed)")
        }
    }

    @Test(
        "a count of tokens that nobody can have does no harm", arguments: [Int.max, .max / 2, 1 << 60, 1 << 55, .min])
    func absurd(tokens: Int) {
        let text = prefix(1_024, tokens: tokens)
        #expect(text.hashes == prefix(1_024).hashes)
        let all = [
            text, prefix(0, tokens: tokens, blockBytes: .max, blocksPerHash: .max), Prefix.unknown(tokens: tokens),
            Prefix(blocks: [1, 2], tokensPerBlock: 16, tokens: tokens), Prefix(of: "x", model: "m", tokens: tokens),
            Prefix(blocks: [1, 2], tokensPerBlock: tokens, tokens: tokens),
        ]
        for one in all {
            // A fleet adds them up, call by call.
            #expect((0...1_000_000_000).contains(one.tokens))
            #expect(one.tokensPerHash >= 1)
            #expect(one.hashes.count * one.tokensPerHash <= max(one.tokens, one.hashes.count))
        }
    }

    @Test("token ids hash as their little-endian bytes, so many to a hash")
    func tokenIDs() {
        let ids = (0..<1_000).map { UInt32($0 * 7_919 % 128_256) }
        let bytes = ids.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
        for each in [1, 16, 128, 300, 1_000] {
            let one = Prefix(tokenIDs: ids, model: "m", salt: "s", tokensPerHash: each)
            #expect(one.hashes == SlowXXH64.chain(bytes, block: 4 * each, model: "m", salt: "s"))
            #expect(one.tokensPerHash == each)
            #expect(one.tokens == 1_000)
        }
        #expect(Prefix(tokenIDs: ids, model: "m", tokensPerHash: 1_001).hashes.isEmpty)
        #expect(Prefix(tokenIDs: [], model: "m").hashes.isEmpty)
        #expect(Prefix(tokenIDs: ids, model: "m", tokensPerHash: -5).tokensPerHash == 1)
        #expect(Prefix(tokenIDs: ids, model: "m", tokensPerHash: .max).tokensPerHash == 16_384)
    }

    @Test("blocks that somebody else has hashed: no more of them than the prompt has whole ones")
    func blocks() {
        let one = Prefix(blocks: [5, 6, 7], tokensPerBlock: 16, tokens: 47)
        #expect(one.hashes == [5, 6])
        #expect(one.tokensPerHash == 16)
        #expect(Prefix(blocks: [5, 6, 7], tokensPerBlock: 16, tokens: 48).hashes == [5, 6, 7])
        #expect(Prefix(blocks: [5, 6, 7], tokensPerBlock: 16, tokens: 4_800).hashes == [5, 6, 7])
        #expect(Prefix(blocks: [5, 6, 7], tokensPerBlock: 16, tokens: -1).hashes.isEmpty)
        #expect(Prefix(blocks: [5, 6, 7], tokensPerBlock: 0, tokens: 2).hashes == [5, 6])
        #expect(Prefix(blocks: [], tokensPerBlock: 16, tokens: 48).hashes.isEmpty)
        #expect(Prefix.unknown(tokens: 9).tokens == 9)
        #expect(Prefix.unknown(tokens: -9).tokens == 0)
        #expect(Prefix.unknown(tokens: 9).hashes.isEmpty)
    }
}
