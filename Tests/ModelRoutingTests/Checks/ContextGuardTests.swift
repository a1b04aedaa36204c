import ModelRouting
import SpillwayCore
import Testing

@Suite struct ContextGuardTests {
    private struct Message: ContextMessage, Equatable {
        var contextRole: ContextRole
        var contextText: String
        var isPinned = false

        init(_ role: ContextRole, _ tokens: Int, pinned: Bool = false) {
            contextRole = role
            contextText = String(repeating: "x", count: tokens)
            isPinned = pinned
        }
    }

    private struct Broken: Error {}

    /// A token a byte, and 4 a message.
    private func contextGuard(
        _ window: Int, _ reserve: Int = 0, _ strategy: ContextGuard.Strategy = .slide
    ) throws -> ContextGuard {
        try ContextGuard(window: window, reserve: reserve, strategy: strategy) { $0.utf8.count }
    }

    private let chat = [
        Message(.system, 6), Message(.user, 16), Message(.assistant, 16), Message(.user, 26), Message(.assistant, 6),
        Message(.tool, 6), Message(.assistant, 6), Message(.user, 6),
    ]

    @Test func whatFitsStaysAsItIs() throws {
        let fitted = try contextGuard(1_000).fit(chat)
        #expect(fitted.messages == chat && fitted.dropped == 0 && fitted.tokens == 120 && !fitted.isSummarised)
        #expect(try contextGuard(120).fit(chat).dropped == 0)
        #expect(try contextGuard(10).fit([Message]()).messages.isEmpty)
    }

    @Test func refusalsSayTheFigures() throws {
        let guarded = try contextGuard(130, 20, .refuse)
        do throws(ContextTooLong) {
            _ = try guarded.fit(chat)
            Issue.record("it fitted")
        } catch {
            #expect(error.tokens == 120 && error.needed == 120 && error.window == 130 && error.reserve == 20)
            #expect(error.outcome == .neutral(.contextTooLong))
            #expect("\(error)" == "120 tokens, 120 of them needed, but the window of 130 has 110 beside the answer")
        }
        #expect(throws: ContextTooLong.self) { try contextGuard(19).fit(chat) }
        #expect(try contextGuard(20).fit(chat).messages == [chat[0], chat[7]])
    }

    @Test func theOldestTurnGoesFirstAndToolsGoWithTheirCalls() throws {
        #expect(try contextGuard(119).fit(chat).messages == [chat[0]] + chat[3...])
        #expect(try contextGuard(79).fit(chat).messages == [chat[0], chat[7]])
        // Within the last turn the model's messages go, each with its results, and the newest stays.
        let round = [Message(.assistant, 6), Message(.tool, 6), Message(.tool, 6)]
        let agent = [Message(.user, 6)] + round + round + round
        let fitted = try contextGuard(75).fit(agent)
        #expect(fitted.messages == [agent[0]] + agent[4...])
        #expect(try contextGuard(40).fit(agent).messages == [agent[0]] + agent[7...])
        #expect(throws: ContextTooLong.self) { try contextGuard(39).fit(agent) }
    }

    @Test func summariesTakeThePlaceOfWhatIsLeftOut() async throws {
        let contextGuard = try contextGuard(100), summary = Message(.assistant, 11)
        let fitted = try await contextGuard.fit(chat, summaryOf: 15) { dropped in
            #expect(dropped == Array(chat[1...2]))
            return summary
        }
        #expect(fitted.messages == [chat[0], summary] + chat[3...] && fitted.isSummarised && fitted.tokens == 95)
        let slid = try contextGuard.fit(chat).messages
        for body in [
            { _ in throw Broken() }, { _ in Message(.assistant, 12) },
        ] as [@Sendable ([Message]) async throws -> Message] {
            let plain = try await contextGuard.fit(chat, summaryOf: 15, body)
            #expect(plain.messages == slid && !plain.isSummarised)
        }
        // No room for a summary of this length beside what must stay, and none where nothing is left out.
        for (window, budget) in [(20, 15), (1_000, 15), (100, 4)] {
            let guarded = try self.contextGuard(window)
            let plain = try await guarded.fit(chat, summaryOf: budget) { _ in
                Issue.record("asked for a summary")
                return summary
            }
            #expect(try plain.messages == guarded.fit(chat).messages)
        }
    }

    @Test func everythingThatMustHoldHolds() throws {
        for seed in UInt64(1)..<3_000 {
            var random = RandomSource.seeded(seed)
            let messages = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                Message(
                    ContextRole.allCases.randomElement(using: &random)!, Int.random(in: 0...30, using: &random),
                    pinned: Int.random(in: 0..<8, using: &random) == 0)
            }
            // So that each can be told from the others.
            let tagged = messages.enumerated().map { index, message in
                var message = message
                message.contextText += "#\(index)"
                return message
            }
            let window = Int.random(in: 1...400, using: &random), guarded = try contextGuard(window)
            let total = tagged.reduce(0) { $0 + guarded.tokens(of: $1) }
            do throws(ContextTooLong) {
                let fitted = try guarded.fit(tagged)
                let kept = tagged.map { fitted.messages.contains($0) }
                #expect(fitted.messages == tagged.filter { fitted.messages.contains($0) }, "order, seed \(seed)")
                #expect(fitted.tokens <= window && (total > window || fitted.dropped == 0), "seed \(seed)")
                #expect(fitted.tokens == fitted.messages.reduce(0) { $0 + guarded.tokens(of: $1) }, "seed \(seed)")
                for (index, message) in tagged.enumerated() {
                    if message.contextRole == .system || message.isPinned { #expect(kept[index], "seed \(seed)") }
                    if message.contextRole == .tool, index > 0,
                        [.tool, .assistant].contains(tagged[index - 1].contextRole)
                    {
                        #expect(kept[index] == kept[index - 1], "a result without its call, seed \(seed)")
                    }
                }
                if let last = tagged.lastIndex(where: { $0.contextRole == .user }) {
                    #expect(kept[last], "the last user message, seed \(seed)")
                    // Nothing older stays for whose sake something newer would have gone, within either half.
                    let plain = tagged.indices.filter { $0 < last && isPlain(tagged, $0) }
                    if let first = plain.first(where: { kept[$0] }) {
                        #expect(plain.allSatisfy { $0 < first || kept[$0] }, "seed \(seed)")
                    }
                }
            } catch {
                #expect(error.needed > window && error.tokens == total, "seed \(seed)")
            }
        }
    }

    /// Whether it stays or goes by its age alone: its neighbours are not pinned either.
    private func isPlain(_ messages: [Message], _ index: Int) -> Bool {
        messages[index].contextRole != .system && !messages.contains(where: \.isPinned)
    }

    @Test func badWindows() {
        for (window, reserve) in [(0, 0), (-1, 0), (100, 100), (100, -1), (100_000_001, 0)] {
            #expect(throws: ConfigurationError.self) { try ContextGuard(window: window, reserve: reserve) }
        }
    }

    @Test func countersOfTheUserAreNotTrusted() throws {
        let guarded = try ContextGuard(window: 100, reserve: 0) { $0.isEmpty ? .min : .max }
        #expect(try guarded.fit([Message(.user, 0)]).tokens == 4)
        #expect(throws: ContextTooLong.self) { try guarded.fit([Message(.user, 1), Message(.user, 1)]) }
    }

    @Test(arguments: [
        // What cl100k and o200k both count.
        ("Hello, world!", 3...5), ("", 0...0), ("a", 1...1), ("The quick brown fox jumps over the lazy dog.", 9...12),
        ("let x = foo(bar: 12)", 8...13), ("2024-11-21 10:45:03", 10...16), ("人人生而自由", 5...8),
    ])
    func tokens(text: String, range: ClosedRange<Int>) {
        #expect(range.contains(TokenEstimate.tokens(in: text)), "\(TokenEstimate.tokens(in: text))")
    }

    @Test func estimatesGrowWithTheText() {
        var random = RandomSource.seeded(9), text = "", last = 0
        for _ in 0..<2_000 {
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 1..<0xD800, using: &random))!)
            let tokens = TokenEstimate.tokens(in: text)
            #expect(tokens >= last)
            last = tokens
        }
    }
}
