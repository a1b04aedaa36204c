/// How hard a prompt looks, by its surface.
///
/// It looks for signs that the task has several parts: length, code, mathematics, questions and instructions, conditions,
/// words that ask for reasoning (in English), and other scripts than the Latin one. It does not understand the prompt:
/// "Prove the Riemann hypothesis" is short and scores low beside what it is, and a long text to be copied scores high. In
/// other languages than English the words count for nothing. It was compared with nothing but a few prompts in its tests. So
/// use it where a wrong choice costs a little quality or a little money, check it with answers of your own, and give the
/// router a scorer that was trained on your traffic when you have one.
public enum Difficulty {
    /// How hard `prompt` looks, from 0 (trivial) to 1; the same prompt always scores the same.
    ///
    /// One pass over the bytes, of which the first and the last 16,384 are looked at; nothing is allocated for a native string.
    public static func estimate(_ prompt: String) -> Double {
        var prompt = prompt
        return prompt.withUTF8 { bytes in
            var signs = Signs()
            let most = 16_384
            if bytes.count <= 2 * most {
                signs.read(bytes)
            } else {
                signs.read(UnsafeBufferPointer(rebasing: bytes[..<most]))
                signs.read(UnsafeBufferPointer(rebasing: bytes[(bytes.count - most)...]))
            }
            return signs.score(length: bytes.count)
        }
    }

    /// What was seen.
    private struct Signs {
        var words = 0
        var questions = 0
        var listItems = 0
        var codeSigns = 0
        var mathSigns = 0
        var digits = 0
        var otherScripts = 0
        /// Words by what they ask for.
        var reasoning = 0
        var making = 0
        var conditions = 0
        private var word: UInt64 = Signs.emptyWord
        private var wordLength = 0
        private var lineHasBegun = false

        /// FNV-1a's offset basis.
        private static let emptyWord: UInt64 = 0xcbf2_9ce4_8422_2325

        mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
            for byte in bytes {
                let lower = byte | 0x20
                if lower >= 97, lower <= 122 {
                    word = Self.mixed(word, lower)
                    wordLength += 1
                    lineHasBegun = true
                    continue
                }
                endWord()
                note(byte)
            }
            endWord()
        }

        private mutating func note(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "?"): questions += 1
            case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ";"), UInt8(ascii: "`"), UInt8(ascii: "<"),
                UInt8(ascii: ">"), UInt8(ascii: "_"), UInt8(ascii: "["), UInt8(ascii: "]"):
                codeSigns += 1
            case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "\\"), UInt8(ascii: "%"):
                mathSigns += 1
            case UInt8(ascii: "-"), UInt8(ascii: "*"):
                // Also how a list begins.
                if !lineHasBegun { listItems += 1 }
            case 48...57:
                digits += 1
                if !lineHasBegun { listItems += 1 }
            case 0xD0...0xDF, 0xE0...0xED: otherScripts += 1
            // ∀, ∑, √, ≤ and their kin.
            case 0xE2: mathSigns += 1
            default: break
            }
            if byte == 10 { lineHasBegun = false } else if byte != 32, byte != 9 { lineHasBegun = true }
        }

        private mutating func endWord() {
            guard wordLength > 0 else { return }
            words += 1
            if Self.reasoningWords.contains(word) { reasoning += 1 }
            if Self.makingWords.contains(word) { making += 1 }
            if Self.conditionWords.contains(word) { conditions += 1 }
            word = Self.emptyWord
            wordLength = 0
        }

        /// Each kind of sign adds something, ever less the more there are of it.
        func score(length: Int) -> Double {
            guard length > 0 else { return 0 }
            let code = Self.part(codeSigns, of: length, at: 0.03)
            let math = Self.part(mathSigns + digits / 2, of: length, at: 0.04)
            let sum =
                0.9 * Self.some(length, half: 6_000) + 0.8 * code + 0.7 * math + 0.9 * Self.some(reasoning, half: 2)
                + 0.5 * Self.some(making, half: 2) + 0.5 * Self.some(conditions, half: 3)
                + 0.5 * Self.some(max(0, questions - 1), half: 2) + 0.5 * Self.some(listItems, half: 4)
                + 0.2 * Self.part(otherScripts, of: length, at: 0.2)
            // From 0 to 1, a half at 1: few prompts show all signs.
            return sum / (1 + sum)
        }

        /// From 0 to 1; a half at `half`.
        private static func some(_ count: Int, half: Double) -> Double { Double(count) / (Double(count) + half) }

        /// How much of the text it is, 1 from the share `full` on; of a few signs less.
        private static func part(_ count: Int, of length: Int, at full: Double) -> Double {
            min(1, Double(count) / Double(min(length, 32_768)) / full) * some(count, half: 3)
        }

        private static func mixed(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

        private static func hashes(_ words: String) -> Set<UInt64> {
            Set(words.split(separator: " ").map { $0.utf8.reduce(emptyWord, mixed) })
        }

        private static let reasoningWords = hashes(
            "prove proof derive why explain analyze analyse compare evaluate justify reason reasoning optimize optimise "
                + "debug diagnose infer deduce calculate compute solve integral equation theorem complexity algorithm "
                + "tradeoff tradeoffs critique assess")
        private static let makingWords = hashes(
            "write implement design refactor translate plan build create generate rewrite draft architect schema test "
                + "tests function class code program essay")
        private static let conditionWords = hashes(
            "if unless must should exactly least most without only except both each every then first finally step steps "
                + "ensure constraint constraints requirements")
    }
}
