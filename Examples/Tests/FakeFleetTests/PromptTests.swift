import Testing

@testable import FakeFleet

@Suite struct PromptTests {
    @Test(arguments: [("", 1), ("abc", 1), ("abcdefgh", 2), ("éé", 1), (String(repeating: "z", count: 403), 100)])
    func `four bytes are a token, and a prompt has at least one`(text: String, tokens: Int) {
        #expect(Prompt(text, blockSize: 16).tokens == tokens)
    }

    @Test func `blocks are chained: equal hashes mean equal prefixes`() {
        let a = Prompt(String(repeating: "a", count: 192), blockSize: 16)
        let b = Prompt(String(repeating: "a", count: 64) + "b" + String(repeating: "a", count: 127), blockSize: 16)
        #expect(a.blocks.count == 3)
        #expect(a.blocks[0] == b.blocks[0])
        #expect(a.blocks[1] != b.blocks[1])
        #expect(a.blocks[2] != b.blocks[2])
        #expect(Set(a.blocks).count == 3)
    }

    @Test func `only whole blocks are hashed`() {
        #expect(Prompt(String(repeating: "a", count: 127), blockSize: 16).blocks.count == 1)
    }

    @Test func `the tokens of a seed are the same every time`() {
        var first = TokenSource(seed: 3)
        var second = TokenSource(seed: 3)
        var other = TokenSource(seed: 4)
        let text = first.next(20)
        #expect(text.split(separator: " ").count == 20)
        #expect(second.next(12) + second.next(8) == text)
        #expect(other.next(20) != text)
    }

    @Test func `an embedding has length 1 and depends on text and seed only`() {
        let vector = EmbeddingVector("text", seed: 1).components
        #expect(vector.count == EmbeddingVector.dimensions)
        #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
        #expect(vector == EmbeddingVector("text", seed: 1).components)
        #expect(vector != EmbeddingVector("other", seed: 1).components)
        #expect(vector != EmbeddingVector("text", seed: 2).components)
    }
}
