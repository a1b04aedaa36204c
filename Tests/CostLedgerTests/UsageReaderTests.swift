import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct UsageReaderTests {
    private func readings(_ format: UsageFormat, _ pieces: [String]) throws -> [UsageReading?] {
        var reader = UsageReader(format)
        return try pieces.map { try reader.read(Array($0.utf8)) }
    }

    private let anthropic = [
        """
        {"type": "message_start", "message": {"usage": {"input_tokens": 25, "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 40, "cache_creation": {"ephemeral_5m_input_tokens": 0,
        "ephemeral_1h_input_tokens": 40}, "output_tokens": 1, "service_tier": "standard"}}}
        """,
        #"{"type": "content_block_delta", "delta": {"text": "Hello"}}"#,
        #"{"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 10}}"#,
        #"{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15, "cache_creation": null}}"#,
        #"{"type": "message_stop"}"#,
    ]

    @Test func `the placeholder at the start is not taken as final`() throws {
        let first = try #require(try readings(.anthropic, anthropic)[0])
        #expect(!first.isFinal)
        #expect(first.usage.source == .estimated)
        #expect(first.usage[.input] == 25)
    }

    @Test func `cumulative usage is not summed, and what is left out stays`() throws {
        let all = try readings(.anthropic, anthropic)
        #expect(all[2]?.isFinal == false)
        let last = try #require(all.last ?? nil)
        #expect(last.isFinal && last.isConsistent)
        #expect(last.usage.source == .provider)
        #expect(last.service == .standard)
        #expect(last.usage.answerTokens == 15)
        #expect(last.usage[.input] == 25)
        #expect(last.usage[.cacheRead] == 100)
        #expect(last.usage[.cacheWriteHour] == 40)
        #expect(last.usage[.cacheWrite] == 0)
    }

    @Test func `a stream that breaks off is never final`() throws {
        #expect(try readings(.anthropic, Array(anthropic.prefix(3))).last??.isFinal == false)
        let openAI = [#"{"object": "chat.completion.chunk", "choices": [{"delta": {"content": "a"}}], "usage": null}"#]
        #expect(try readings(.openAI, openAI) == [nil])
    }

    @Test func `OpenAI's usage comes in the last chunk`() throws {
        let all = try readings(
            .openAI,
            [
                #"{"object": "chat.completion.chunk", "service_tier": "flex", "choices": [{"finish_reason": null}], "usage": null}"#,
                """
                {"object": "chat.completion.chunk", "choices": [{"finish_reason": null}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}
                """,
                """
                {"object": "chat.completion.chunk", "choices": [],
                "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}}
                """,
            ])
        #expect(all[0] == nil)
        #expect(all[1]?.isFinal == false)
        #expect(all[2]?.isFinal == true)
        #expect(all[2]?.usage.answerTokens == 4)
        #expect(all[2]?.service == .flex)
    }

    @Test func `Gemini's usage grows from chunk to chunk`() throws {
        func chunk(_ answer: Int, _ end: String) -> String {
            """
            {"candidates": [{"content": {}\(end)}], "usageMetadata": {"promptTokenCount": 5,
            "candidatesTokenCount": \(answer), "totalTokenCount": \(5 + answer)}}
            """
        }
        let pieces = [chunk(3, ""), chunk(8, #", "finishReason": "STOP""#)]
        let all = try readings(.gemini, pieces)
        #expect(all.map { $0?.isFinal } == [false, true])
        #expect(all[1]?.usage.tokens == 13)
        #expect(try readings(.gemini, ["[\(pieces.joined(separator: ","))]"]) == [all[1]])
    }

    @Test func `a bad piece is refused and leaves what was read`() throws {
        var reader = UsageReader(.anthropic)
        try reader.read(Array(anthropic[0].utf8))
        let before = reader.reading
        #expect(throws: MalformedJSON.self) { try reader.read(Array(#"{"usage": "#.utf8)) }
        #expect(reader.reading == before)
    }

    /// Whatever the parts are, they do not overlap and add up to what the provider says.
    @Test func `counts sum to the total`() throws {
        try forEachSeed(2_000) { seed, random in
            let prompt = random.upTo(10_000), answer = random.upTo(5_000), reasoning = random.upTo(answer)
            let cached = random.upTo(prompt), written = random.upTo(prompt - cached)
            let audio = random.upTo(prompt - cached - written)
            let openAI = """
                {"prompt_tokens": \(prompt), "completion_tokens": \(answer), "total_tokens": \(prompt + answer),
                "prompt_tokens_details": {"cached_tokens": \(cached), "cache_write_tokens": \(written),
                "audio_tokens": \(audio)}, "completion_tokens_details": {"reasoning_tokens": \(reasoning),
                "audio_tokens": \(random.upTo(answer - reasoning))}}
                """
            let gemini = """
                {"promptTokenCount": \(prompt), "cachedContentTokenCount": \(cached), "thoughtsTokenCount": \(reasoning),
                "candidatesTokenCount": \(answer), "totalTokenCount": \(prompt + answer + reasoning),
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": \(random.upTo(prompt))}]}
                """
            for (text, format, total) in [
                (openAI, UsageFormat.openAI, prompt + answer), (gemini, .gemini, prompt + answer + reasoning),
            ] {
                let reading = try #require(try UsageReading(Array(text.utf8), format: format))
                #expect(reading.usage.tokens == total, "seed \(seed)")
                #expect(reading.usage.promptTokens == prompt, "seed \(seed)")
                #expect(reading.isConsistent, "seed \(seed): \(reading.discrepancies)")
            }
        }
    }

    /// Figures at random, that fit or not: the parts never exceed the whole.
    @Test func `no token is charged twice whatever is said`() throws {
        try forEachSeed(2_000) { seed, random in
            let prompt = random.upTo(100), answer = random.upTo(100)
            let text = """
                {"prompt_tokens": \(prompt), "completion_tokens": \(answer), "prompt_tokens_details": {
                "cached_tokens": \(random.upTo(200)), "cache_write_tokens": \(random.upTo(50)),
                "audio_tokens": \(random.upTo(200)), "image_tokens": \(random.upTo(50)),
                "cached_tokens_details": {"audio_tokens": \(random.upTo(200)), "image_tokens": \(random.upTo(200))}},
                "completion_tokens_details": {"reasoning_tokens": \(random.upTo(200)), "audio_tokens": \(random.upTo(50))}}
                """
            let reading = try #require(try UsageReading(Array(text.utf8), format: .openAI))
            #expect(reading.usage.promptTokens == prompt, "seed \(seed)")
            #expect(reading.usage.answerTokens == answer, "seed \(seed)")
        }
    }

    @Test func `changed text never crashes a reader`() {
        let good =
            anthropic + [
                """
                {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "seconds": 1.5,
                "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 2}}, "choices": [{"finish_reason": "stop"}]}
                """,
                """
                {"usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 15, "thoughtsTokenCount": 5,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}]}, "candidates": [{}]}
                """,
            ]
        forEachSeed(3_000) { seed, random in
            for format in UsageFormat.allCases {
                var reader = UsageReader(format)
                for _ in 0..<3 {
                    _ = try? reader.read(random.mutated(good[random.upTo(good.count - 1)]))
                }
                for meter in Usage.Meter.allCases {
                    #expect((0...Usage.most).contains(reader.reading?.usage[meter] ?? 0), "seed \(seed)")
                }
            }
        }
    }
}
