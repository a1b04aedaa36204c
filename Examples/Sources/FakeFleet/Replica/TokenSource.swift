/// A seeded source of words, each standing for one token.
struct TokenSource: Sendable {
    private static let words = """
        a about after all also an and any as at back be because but by can come could day do even find first for from \
        get give go good have he her here him how if in into it its just know like look make man many me more my new no \
        not now of on one only or other our out people say see she so some take tell than that the them then there \
        these they think this time to two up use very want way we well what when which who will with work would year you
        """.split(separator: " ")

    private var random: SplitMix64
    /// What is left of a word that was begun.
    private var rest = ""

    /// The words of a seed; equal seeds give equal words.
    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    /// The next `count` words, a space after each.
    mutating func next(_ count: Int) -> String {
        var text = rest
        rest = ""
        for _ in 0..<count { text += word() }
        return text
    }

    /// Goes to the end of `text`, so that the next words follow on it.
    ///
    /// - Returns: How many words were begun; nil, and nothing has happened, when this source does not begin with `text`.
    mutating func skip(_ text: String) -> Int? {
        var source = self
        var count = 0
        var left = text[...]
        while !left.isEmpty {
            let word = source.word()
            guard word.hasPrefix(left.prefix(word.count)) else { return nil }
            source.rest = String(word.dropFirst(left.count))
            left = left.dropFirst(word.count)
            count += 1
        }
        self = source
        return count
    }

    private mutating func word() -> String {
        Self.words[Int.random(in: Self.words.indices, using: &random)] + " "
    }
}
