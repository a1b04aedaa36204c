import Testing

@testable import Replay

@Suite("Prompts")
struct PromptMakerTests {
    @Test("a prompt has four bytes for each token", arguments: [1, 2, 16, 6472])
    func size(tokens: Int) {
        #expect(PromptMaker(seed: 1).prompt(index: 0, tokens: tokens).utf8.count == tokens * 4)
    }

    @Test("the seed and the index decide the prompt")
    func deterministic() {
        let maker = PromptMaker(seed: 7)
        #expect(maker.prompt(index: 3, tokens: 50) == PromptMaker(seed: 7).prompt(index: 3, tokens: 50))
        #expect(maker.prompt(index: 3, tokens: 50) != PromptMaker(seed: 8).prompt(index: 3, tokens: 50))
    }

    @Test("a thousand prompts share no first cache block")
    func unique() {
        let maker = PromptMaker(seed: 1)
        let blocks = Set((0..<1000).map { maker.prompt(index: $0, tokens: 16) })
        #expect(blocks.count == 1000)
    }
}
