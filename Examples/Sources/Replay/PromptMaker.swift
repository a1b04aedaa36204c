/// Makes filler prompts of an asked size, the same ones for the same seed.
struct PromptMaker: Sendable {
    /// Three letters and a space are four bytes, which the fleet counts as one token.
    private static let words: [String] = """
        act air arm art ask bag bed bit box boy bus cap car cat cup day dog dry ear eat egg end eye far fix fly fun \
        gap gas hat ice ink job joy key leg lip log map mix net new oil old one pen pie pot raw red run sea sky sun \
        tea ten toy two van war wax way win yes
        """.split(separator: " ").map(String.init)

    let seed: UInt64

    /// Makes the prompt of request number `index`, which counts as exactly `tokens` tokens (at least 1).
    ///
    /// Each prompt has its own random stream, so two of them share hardly ever even one cache block.
    func prompt(index: Int, tokens: Int) -> String {
        var state = SplitMix64(state: seed &+ UInt64(index) &* 0xD134_2543_DE82_EF95)
        var text = ""
        text.reserveCapacity(tokens * 4)
        for _ in 0..<max(tokens, 1) {
            text += Self.words[Int(state.next() % UInt64(Self.words.count))]
            text += " "
        }
        return text
    }
}
