import Spillway
import Testing

@testable import BatchEmbeddings

@Suite struct PassageCutterTests {
    private func passages(_ text: String, tokens: Int, overlap: Int = 0) -> [String] {
        let bytes = Array(text.utf8)
        return PassageCutter(tokens: tokens, overlap: overlap).cut(bytes).map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
    }

    @Test func `what fits is one passage, without the white space around it`() {
        #expect(passages("  One line.\n\nAnother.\r\n", tokens: 8) == ["One line.\n\nAnother."])
        #expect(passages("12345678", tokens: 2) == ["12345678"])
        #expect(passages("", tokens: 8).isEmpty && passages(" \n\t\r\n", tokens: 8).isEmpty)
    }

    @Test func `a cut is made where a paragraph ends, and a line with spaces alone ends one, too`() {
        let first = "Words, words. And more words.", second = "The next one.", third = "The last one, which is longer."
        for gap in ["\n\n", "\n \t\n", "\r\n\r\n", "\n\n\n\n"] {
            #expect(passages(first + gap + second + gap + third, tokens: 14) == [first + gap + second, third])
        }
    }

    @Test func `else where a sentence ends, else between words, else between characters`() {
        #expect(
            passages("This is the first one. This is the second one! Is it?", tokens: 8)
                == ["This is the first one.", "This is the second one! Is it?"])
        #expect(
            passages("one two three four five six seven", tokens: 4) == ["one two three", "four five six", "seven"])
        #expect(passages("ααααααααααα", tokens: 2) == ["αααα", "αααα", "ααα"])
        #expect(passages("a🌊🌊🌊🌊", tokens: 2) == ["a🌊", "🌊🌊", "🌊"])
    }

    @Test func `a passage begins with the last words of the one before`() {
        #expect(
            passages("one two three four five six seven eight", tokens: 6, overlap: 2)
                == ["one two three four five", "five six seven eight"])
        // A word that is longer than the overlap is not cut.
        #expect(
            passages("one two threethreethree four five", tokens: 6, overlap: 1) == [
                "one two threethreethree", "four five",
            ])
    }

    @Test func `tokens are a quarter of the bytes, rounded up`() {
        #expect(["", "a", "abcd", "abcde", "αα", "🌊"].map(PassageCutter.tokens) == [0, 1, 1, 2, 1, 1])
    }

    /// Any text: words of all lengths and alphabets, gaps of all kinds.
    @Test(arguments: 0..<400 as Range<UInt64>)
    func `nothing is lost, nothing is too long, no character is torn`(seed: UInt64) {
        let random = RandomSource.seeded(seed)
        func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        let alphabets = ["abcdefgh", "αβγδ", "水火木", "🌊🔥", ".!?"].map(Array.init)
        var text = ""
        for _ in 0..<(random.next() % 120) {
            let alphabet = pick(alphabets)
            text += String((0..<pick([1, 1, 3, 5, 9, 40])).map { _ in pick(alphabet) })
            text += pick([" ", " ", ". ", "\n", "\n\n", "\r\n\r\n", "\t", ""])
        }
        let tokens = Int(8 + random.next() % 40), overlap = Int(random.next() % UInt64(tokens / 3 + 1))
        let bytes = Array(text.utf8), ranges = PassageCutter(tokens: tokens, overlap: overlap).cut(bytes)
        var covered = [Bool](repeating: false, count: bytes.count)
        for (range, next) in zip(ranges, ranges.dropFirst()) {
            #expect(range.lowerBound < next.lowerBound && range.upperBound < next.upperBound, "seed \(seed)")
            #expect(range.upperBound - next.lowerBound <= overlap * 4, "seed \(seed)")
        }
        for range in ranges {
            #expect(!range.isEmpty && range.count <= tokens * 4, "seed \(seed)")
            #expect(String(validating: bytes[range], as: UTF8.self) != nil, "seed \(seed)")
            for place in range { covered[place] = true }
        }
        for (place, byte) in bytes.enumerated() where !covered[place] {
            #expect(byte == 0x20 || (0x09...0x0D).contains(byte), "seed \(seed): byte \(place) is lost")
        }
    }
}
