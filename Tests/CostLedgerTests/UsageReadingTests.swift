import SpillwayCore
import Testing

@testable import CostLedger

private func read(_ text: String, _ format: UsageFormat) throws -> UsageReading {
    try #require(try UsageReading(Array(text.utf8), format: format))
}

/// The counts of `usage` that are not 0, but for its one request.
private func counts(_ usage: Usage) -> [Usage.Meter: Int] {
    Usage.Meter.allCases.reduce(into: [:]) { $0[$1] = $1 == .requests || usage[$1] == 0 ? nil : usage[$1] }
}

@Suite struct OpenAIUsageTests {
    @Test func `parts are taken out of the gross counts`() throws {
        let reading = try read(
            """
            {"id": "x", "object": "chat.completion", "service_tier": "priority", "choices": [], "usage": {
              "prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500,
              "prompt_tokens_details": {"cached_tokens": 300, "cache_write_tokens": 200, "audio_tokens": 100},
              "completion_tokens_details": {"reasoning_tokens": 250, "audio_tokens": 50,
                "accepted_prediction_tokens": 20, "rejected_prediction_tokens": 10}}}
            """, .openAI)
        #expect(
            counts(reading.usage) == [
                .input: 400, .cacheRead: 300, .cacheWrite: 200, .audioInput: 100, .output: 200, .reasoning: 250,
                .audioOutput: 50,
            ])
        #expect(reading.usage.tokens == 1_500)
        #expect(reading.usage[.requests] == 1)
        #expect(reading.usage.source == .provider)
        #expect(reading.service == .priority)
        #expect(reading.isFinal && reading.isConsistent)
    }

    @Test func `all of its forms are read`() throws {
        let responses = try read(
            """
            {"type": "response.completed", "response": {"service_tier": "flex", "usage": {"input_tokens": 75,
            "input_tokens_details": {"cached_tokens": 5}, "output_tokens": 1186,
            "output_tokens_details": {"reasoning_tokens": 1024}, "total_tokens": 1261}}}
            """, .openAI)
        #expect(counts(responses.usage) == [.input: 70, .cacheRead: 5, .output: 162, .reasoning: 1_024])
        #expect(responses.service == .flex && responses.isFinal && responses.isConsistent)

        let realtime = try read(
            """
            {"type": "response.done", "response": {"usage": {"total_tokens": 275, "input_tokens": 127, "output_tokens": 148,
            "input_token_details": {"text_tokens": 87, "audio_tokens": 30, "image_tokens": 10, "cached_tokens": 64,
              "cached_tokens_details": {"text_tokens": 44, "audio_tokens": 15, "image_tokens": 5}},
            "output_token_details": {"text_tokens": 36, "audio_tokens": 112}}}}
            """, .openAI)
        #expect(
            counts(realtime.usage) == [
                .input: 43, .cacheRead: 49, .audioCacheRead: 15, .audioInput: 15, .imageInput: 5, .output: 36,
                .audioOutput: 112,
            ])
        #expect(realtime.isFinal && realtime.isConsistent)

        let embedding = try read(#"{"prompt_tokens": 8, "total_tokens": 8}"#, .openAI)
        #expect(counts(embedding.usage) == [.input: 8])
        #expect(embedding.isFinal && embedding.isConsistent && embedding.service == nil)

        let sound = try read(#"{"text": "hi", "usage": {"type": "duration", "seconds": 9.25}}"#, .openAI)
        #expect(counts(sound.usage) == [.milliseconds: 9_250])
        #expect(sound.isConsistent)

        let deepSeek = try read(
            #"{"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "prompt_cache_hit_tokens": 4}"#, .openAI
        )
        #expect(counts(deepSeek.usage) == [.input: 6, .cacheRead: 4, .output: 1])
    }

    @Test func `reasoning that stands beside the answer is not lost`() throws {
        let reading = try read(
            """
            {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94}}
            """, .openAI)
        #expect(counts(reading.usage) == [.input: 32, .output: 9, .reasoning: 94])
        #expect(reading.isConsistent)
    }

    @Test func `figures that do not fit are told and no token is charged twice`() throws {
        let total = try read(#"{"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 9}"#, .openAI)
        #expect(total.discrepancies == [.total(field: "total_tokens", said: 9, counted: 7)])
        let parts = try read(
            """
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 6, "rejected_prediction_tokens": 7}}
            """, .openAI)
        #expect(counts(parts.usage) == [.cacheRead: 10, .reasoning: 5])
        #expect(
            parts.discrepancies == [
                .parts(field: "prompt_tokens", said: 10, counted: 30),
                .parts(field: "completion_tokens", said: 5, counted: 6),
                .parts(field: "completion_tokens", said: 5, counted: 7),
            ])
        let overlap = try read(
            #"{"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 80, "audio_tokens": 50}}"#, .openAI)
        #expect(counts(overlap.usage) == [.cacheRead: 50, .audioCacheRead: 30, .audioInput: 20])
        #expect(overlap.isConsistent)
    }

    @Test(
        arguments: [
            ("-5", 0, false), ("1e300", Usage.most, false), ("999999999999999999999999", Usage.most, false),
            ("-999999999999999999999999", 0, false), ("2.5", 2, false), ("12.0", 12, true), ("1e3", 1_000, true),
            ("\"7\"", 0, false), ("true", 0, false), ("null", 0, true), ("0.3333333333333333333333", 0, false),
        ] as [(String, Int, Bool)])
    func `counts that are none are made one and told`(literal: String, count: Int, isConsistent: Bool) throws {
        let reading = try read("{\"prompt_tokens\": \(literal), \"completion_tokens\": 0, \"seconds\": 0}", .openAI)
        #expect(reading.usage.promptTokens == count)
        #expect(reading.discrepancies == (isConsistent ? [] : [.count(field: "prompt_tokens")]))
    }

    @Test func `a service that has no prices is not taken for the standard one`() throws {
        let reading = try read(#"{"service_tier": "ultrafast", "usage": {"prompt_tokens": 1}}"#, .openAI)
        #expect(reading.service == nil)
        #expect(reading.discrepancies == [.service("ultrafast")])
        #expect(try read(#"{"service_tier": "default", "usage": {"prompt_tokens": 1}}"#, .openAI).service == .standard)
    }

    @Test func `what has no usage says nothing`() throws {
        for text in ["{}", "[]", "3", #"{"usage": null}"#, #"{"choices": [{"delta": {"content": "tokens"}}]}"#] {
            for format in UsageFormat.allCases {
                #expect(try UsageReading(Array(text.utf8), format: format) == nil, "\(text)")
            }
        }
        #expect(throws: MalformedJSON.self) { try UsageReading(Array(#"{"usage": {"#.utf8), format: .openAI) }
    }
}

@Suite struct AnthropicUsageTests {
    @Test func `cached tokens stand beside the prompt, writes have lifetimes`() throws {
        let reading = try read(
            """
            {"type": "message", "content": [], "usage": {"input_tokens": 50, "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 300, "cache_creation": {"ephemeral_5m_input_tokens": 100,
            "ephemeral_1h_input_tokens": 200}, "output_tokens": 70, "output_tokens_details": {"thinking_tokens": 30},
            "server_tool_use": {"web_search_requests": 2}, "service_tier": "batch"}}
            """, .anthropic)
        #expect(
            counts(reading.usage) == [
                .input: 50, .cacheRead: 1_000, .cacheWrite: 100, .cacheWriteHour: 200, .output: 40, .reasoning: 30,
                .toolCalls: 2,
            ])
        #expect(reading.service == .batch && reading.isFinal && reading.isConsistent)
    }

    @Test func `lifetimes that do not add up are told`() throws {
        let reading = try read(
            """
            {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}}
            """, .anthropic)
        #expect(counts(reading.usage) == [.input: 1, .output: 1, .cacheWrite: 300, .cacheWriteHour: 200])
        #expect(reading.discrepancies == [.total(field: "cache_creation_input_tokens", said: 500, counted: 300)])
        let plain = try read(#"{"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 5}"#, .anthropic)
        #expect(counts(plain.usage) == [.input: 1, .output: 1, .cacheWrite: 5])
        #expect(plain.isConsistent)
    }

    @Test func `the fast mode has no price here`() throws {
        let reading = try read(
            #"{"input_tokens": 1, "output_tokens": 1, "service_tier": "standard", "speed": "fast"}"#, .anthropic)
        #expect(reading.service == nil)
        #expect(reading.discrepancies == [.service("fast")])
    }
}

@Suite struct GeminiUsageTests {
    @Test func `thoughts and tool prompts stand beside, cached tokens inside`() throws {
        let reading = try read(
            """
            {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1000,
            "cachedContentTokenCount": 400, "candidatesTokenCount": 120, "thoughtsTokenCount": 80,
            "toolUsePromptTokenCount": 50, "totalTokenCount": 1250, "trafficType": "ON_DEMAND_PRIORITY",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 700}, {"modality": "AUDIO", "tokenCount": 200},
              {"modality": "IMAGE", "tokenCount": 60}, {"modality": "VIDEO", "tokenCount": 40}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 150}, {"modality": "TEXT", "tokenCount": 250}],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 100}, {"modality": "TEXT", "tokenCount": 20}]}}
            """, .gemini)
        #expect(
            counts(reading.usage) == [
                .input: 500, .cacheRead: 250, .audioCacheRead: 150, .audioInput: 50, .imageInput: 100, .output: 20,
                .imageOutput: 100, .reasoning: 80,
            ])
        #expect(reading.service == .priority && reading.isFinal && reading.isConsistent)
        #expect(reading.usage.tokens == 1_250)
    }

    @Test func `a missing answer is none`() throws {
        let reading = try read(#"{"promptTokenCount": 7, "totalTokenCount": 7}"#, .gemini)
        #expect(counts(reading.usage) == [.input: 7])
        #expect(reading.isFinal && reading.isConsistent)
        let wrong = try read(#"{"promptTokenCount": 7, "totalTokenCount": 8}"#, .gemini)
        #expect(wrong.discrepancies == [.total(field: "totalTokenCount", said: 8, counted: 7)])
    }
}
