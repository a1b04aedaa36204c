/// Cuts texts into passages of at most so many tokens, each beginning with the end of the one before.
///
/// A cut is made where a paragraph ends, else where a sentence does, else between words, always in the second half of what a
/// passage may hold; a text without any of these is cut between characters. Tokens are an estimate: one for every four bytes of
/// UTF-8, rounded up. English has about that; where a passage must fit a model's limit, leave room for other languages.
struct PassageCutter: Sendable {
    /// The most tokens of a passage.
    let tokens: Int
    /// Tokens of a passage's end that the next one begins with; at most a third of ``tokens``.
    let overlap: Int

    static let bytesPerToken = 4

    /// The tokens that a text is taken to have.
    static func tokens(of text: String) -> Int { (text.utf8.count + bytesPerToken - 1) / bytesPerToken }

    /// The passages of `text` as ranges of its UTF-8 bytes, without white space around them.
    func cut(_ text: [UInt8]) -> [Range<Int>] {
        var passages: [Range<Int>] = []
        var start = Self.skip(text, from: 0)
        let most = tokens * Self.bytesPerToken
        while start < text.count {
            let end = text.count - start <= most ? text.count : self.end(text, from: start, upTo: start + most)
            passages.append(start..<Self.trim(text, start..<end))
            if Self.skip(text, from: end) == text.count { break }
            start = next(text, after: end)
        }
        return passages
    }

    /// The best place to end a passage that begins at `start`.
    private func end(_ text: [UInt8], from start: Int, upTo limit: Int) -> Int {
        var sentence: Int?, word: Int?, place = limit
        while place > start + (limit - start) / 2 {
            if Self.isSpace(text[place]), !Self.isSpace(text[place - 1]) {
                if Self.isParagraphEnd(text, place) { return place }
                word = word ?? place
                if sentence == nil, [0x21, 0x2E, 0x3F].contains(text[place - 1]) { sentence = place }
            }
            place -= 1
        }
        return sentence ?? word ?? Self.character(text, at: limit)
    }

    /// Where the passage after one that ends at `end` begins: at a word, within the overlap.
    private func next(_ text: [UInt8], after end: Int) -> Int {
        var place = end - overlap * Self.bytesPerToken
        while place < end {
            if Self.isSpace(text[place]) { return Self.skip(text, from: place) }
            place += 1
        }
        return Self.skip(text, from: end)
    }

    /// Whether the line that ends with the white space at `place` is followed by an empty one.
    private static func isParagraphEnd(_ text: [UInt8], _ place: Int) -> Bool {
        var place = place, lines = 0
        while place < text.count, isSpace(text[place]) {
            if text[place] == 0x0A { lines += 1 }
            place += 1
        }
        return lines >= 2
    }

    /// The first byte of the character that `place` is in.
    private static func character(_ text: [UInt8], at place: Int) -> Int {
        var place = place
        while text[place] & 0xC0 == 0x80 { place -= 1 }
        return place
    }

    private static func skip(_ text: [UInt8], from place: Int) -> Int {
        var place = place
        while place < text.count, isSpace(text[place]) { place += 1 }
        return place
    }

    private static func trim(_ text: [UInt8], _ range: Range<Int>) -> Int {
        var end = range.upperBound
        while end > range.lowerBound, isSpace(text[end - 1]) { end -= 1 }
        return end
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
