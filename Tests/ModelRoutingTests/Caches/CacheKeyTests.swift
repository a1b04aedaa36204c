import SpillwayCore
import Testing

@testable import ModelRouting

@Suite struct CacheKeyTests {
    private func made(_ parts: [String], _ partition: CachePartition = .shared) -> CacheKey {
        var key = CacheKey.Parts(for: partition, seed: 7)
        for part in parts { key.add(part) }
        return key.key
    }

    @Test func `where parts meet counts, and so does their order`() {
        let lists = [
            ["ab", "c"], ["a", "bc"], ["abc"], ["c", "ab"], ["", "abc"], ["abc", ""], ["ab", "c", ""], [],
        ]
        #expect(Set(lists.map { made($0) }).count == lists.count)
        #expect(made(["ab", "c"]) == made(["ab", "c"]))
    }

    @Test func `the same request of two tenants, of nobody and of all are four`() {
        let partitions: [CachePartition] = [
            .tenant("a"), .tenant("b"), .tenant(nil), .tenant(""), .shared, .tenant("shared"),
        ]
        #expect(Set(partitions.map { made(["x"], $0) }).count == partitions.count)
        #expect(Set(partitions.map { $0.hash(7) }).count == partitions.count)
        // Not by the space alone: the hash of the request tells them apart, too.
        #expect(Set(partitions.map { made(["x"], $0).low }).count == partitions.count)
    }

    @Test func `a text, its bytes and a buffer are one request`() {
        let text = "Grüße, 世界", bytes = Array(text.utf8)
        let one = CacheKey(text, for: .tenant("t"), seed: 3)
        #expect(one == CacheKey(bytes, for: .tenant("t"), seed: 3))
        #expect(bytes.withUnsafeBytes { CacheKey($0, for: .tenant("t"), seed: 3) } == one)
        // A text that is not in one piece.
        let pieces = String(decoding: Array(text.utf16), as: UTF16.self)
        #expect(CacheKey(pieces, for: .tenant("t"), seed: 3) == one)
        #expect(CacheKey("", for: .tenant("t"), seed: 3) == CacheKey([], for: .tenant("t"), seed: 3))
    }

    @Test func `a seed makes keys that nobody can foresee`() {
        #expect(CacheKey("x", for: .shared, seed: 1) != CacheKey("x", for: .shared, seed: 2))
        #expect(CacheKey("x", for: .shared) == CacheKey("x", for: .shared))
        #expect(CacheKey("x", for: .shared) == CacheKey("x", for: .shared, seed: CacheKey.processSeed))
    }

    @Test func `of a call to a model everything counts but the order of parameters`() {
        func call(
            _ model: String = "m", _ parameters: [String: String] = ["temperature": "0", "top_p": "1"],
            _ messages: [(role: String, text: String)] = [("system", "be brief"), ("user", "hi")]
        ) -> CacheKey {
            CacheKey(model: model, parameters: parameters, messages: messages, for: .tenant("t"), seed: 5)
        }
        #expect(call() == call("m", ["top_p": "1", "temperature": "0"]))
        let others = [
            call(), call("n"), call("m", [:]), call("m", ["temperature": "0"]),
            call("m", ["temperature": "0", "top_p": ""]),
            call("m", ["temperature": "1", "top_p": "0"]), call("m", ["temperature": "0", "top_p": "1"], []),
            call("m", ["temperature": "0", "top_p": "1"], [("user", "hi"), ("system", "be brief")]),
            call("m", ["temperature": "0", "top_p": "1"], [("system", "be brief"), ("assistant", "hi")]),
            // A message that looks like a parameter is none.
            call("m", [:], [("temperature", "0"), ("top_p", "1"), ("system", "be brief"), ("user", "hi")]),
        ]
        #expect(Set(others).count == others.count)
    }

    @Test func `one bit makes another key, at every length`() {
        var seen: Set<CacheKey> = [], count = 0
        for length in [1, 3, 8, 16, 17, 128, 129, 240, 241, 1_024, 1_025, 8_192] {
            var bytes = [UInt8](repeating: 0, count: length)
            for bit in stride(from: 0, to: length * 8, by: max(1, length / 8)) {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                seen.insert(CacheKey(bytes, for: .shared, seed: 1))
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                count += 1
            }
        }
        #expect(seen.count == count)
    }
}
