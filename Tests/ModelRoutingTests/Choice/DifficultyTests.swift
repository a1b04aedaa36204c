import ModelRouting
import SpillwayCore
import Testing

@Suite struct DifficultyTests {
    @Test func scoresAreFromZeroToOneAndTheSameEachTime() {
        var random = RandomSource.seeded(11)
        for _ in 0..<300 {
            var prompt = ""
            for _ in 0..<Int.random(in: 0...400, using: &random) {
                prompt.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0..<0xD800, using: &random))!)
            }
            let score = Difficulty.estimate(prompt)
            #expect(score >= 0 && score <= 1 && score == Difficulty.estimate(prompt))
        }
        #expect(Difficulty.estimate("") == 0)
        #expect(Difficulty.estimate(String(repeating: "Prove why x = y; if {z}? ", count: 100_000)) < 1)
    }

    /// In order, the easiest first.
    @Test func harderPromptsScoreHigher() {
        let prompts = [
            "Hi", "What is the capital of France?",
            "Write a short poem about autumn, then explain the image in its last line.",
            """
            Implement a lock-free queue in Rust: `pub fn push<T>(&self, value: T)`. It must not allocate after `new()`. \
            Explain why each ordering is sufficient, and prove that it is linearizable.
            1. Write the code. 2. Write tests for every branch. 3. Compare it with a mutex and analyze the tradeoffs.
            """,
        ]
        let scores = prompts.map(Difficulty.estimate)
        #expect(scores == scores.sorted() && scores[0] < 0.1 && scores[1] < 0.2 && scores[3] > 0.55, "\(scores)")
    }

    @Test func eachSignCounts() {
        let plain = "Tell me about the river that flows past our house to the sea and about its fish"
        let base = Difficulty.estimate(plain)
        for more in [
            " and prove it", "? How? Why not?", " `f(x) { a[i] = <T>; }`", " x^2 + y^2 = z^2 % 7",
            "\n- one\n- two\n- three",
        ] {
            #expect(Difficulty.estimate(plain + more) > base + 0.02, "\(more)")
        }
        #expect(Difficulty.estimate(String(repeating: plain + ". ", count: 100)) > base + 0.2)
    }
}
