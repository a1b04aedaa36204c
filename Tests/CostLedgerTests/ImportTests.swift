import SpillwayCore
import Testing

@testable import CostLedger

@Suite struct ImportTests {
    private func slice() throws -> PriceBook.Import { try PriceBook.Import(liteLLM: Array(litellmSlice.utf8)) }

    private func read(_ fields: String) throws -> PriceBook.Import {
        try PriceBook.Import(liteLLM: Array("{\"m\": {\(fields)}}".utf8))
    }
    private func listed(_ result: PriceBook.Import) -> [String] { result.unmapped.map { "\($0.field): \($0.reason)" } }

    /// Rates as nano-dollars for a million units.
    private func rate(
        _ model: String, _ meter: Usage.Meter, _ service: Price.Service = .standard, _ promptTokens: Int = 0
    ) throws -> Int64? {
        try slice().book.price(of: model, at: 0)?.rates(for: service, promptTokens: promptTokens)?[meter]?.nanodollars
    }

    @Test func `rates of each service, size and meter are taken to the last digit`() throws {
        #expect(try rate("gpt-4o", .input) == 2_500_000_000)
        #expect(try rate("gpt-4o", .cacheRead, .priority) == 2_125_000_000)
        #expect(try rate("gpt-4o", .output, .batch) == 5_000_000_000)
        #expect(try rate("gpt-4o", .output, .flex) == nil)
        #expect(try rate("gpt-5.4", .output, .flex, 272_001) == 11_250_000_000)
        #expect(try rate("gpt-5.4", .output, .flex, 272_000) == 7_500_000_000)
        #expect(try rate("gpt-5.4", .cacheRead, .batch) == 130_000_000)
        #expect(try rate("claude-haiku-5-5", .cacheWriteHour, .standard, 100_001) == 1_000_000_000)
        #expect(try rate("claude-haiku-5-5", .cacheWrite, .batch, 100_001) == 312_500_000)
        #expect(try rate("claude-haiku-5-5", .toolCalls) == 10_000_000_000_000)
        #expect(try rate("gemini/gemini-2.5-flash", .audioInput, .priority) == 1_800_000_000)
        #expect(try rate("gemini/gemini-2.5-flash", .audioCacheRead) == 100_000_000)
        #expect(try rate("gemini/gemini-2.5-flash", .reasoning, .batch) == 1_250_000_000)
        #expect(try rate("text-embedding-3-small", .input) == 20_000_000)
        #expect(try rate("text-embedding-3-small", .output) == 0)
        #expect(try rate("dashscope/qwen-plus-2025-04-28", .reasoning) == 4_000_000_000)
        #expect(try rate("whisper-1", .milliseconds) == 100_000_000)
    }

    @Test func `ranges of prompt sizes hold for the whole call`() throws {
        #expect(try rate("dashscope/qwen-flash", .input, .standard, 256_000) == 50_000_000)
        #expect(try rate("dashscope/qwen-flash", .output, .standard, 256_001) == 2_000_000_000)
        for (size, cacheRead) in [(0, 100), (32_000, 100), (32_001, 180), (128_001, 300), (256_001, 600), (.max, 600)] {
            let read = try rate("dashscope/qwen3-coder-plus", .cacheRead, .standard, size)
            #expect(read == Int64(cacheRead) * 1_000_000, "\(size)")
        }
        #expect(try rate("dashscope/qwen-flash", .cacheRead, .standard, 256_001) == 250_000_000)
    }

    @Test func `what is not taken over is listed with the reason`() throws {
        let result = try slice()
        #expect(
            result.unmapped.map { "\($0.model) \($0.field): \($0.reason)" } == [
                "azure/gpt-6-astra cache_creation_input_token_cost_above_272k_tokens_flex: base",
                "azure/gpt-6-astra cache_read_input_token_cost_above_272k_tokens_flex: base",
                "azure/gpt-6-astra input_cost_per_token_above_272k_tokens_flex: base",
                "azure/gpt-6-astra output_cost_per_token_above_272k_tokens_flex: base",
                "azure/speech/azure-tts input_cost_per_character: unit",
                "claude-haiku-5-5 provider_specific_entry: condition",
                "databricks/databricks-claude-sonnet-4-1 input_cost_per_token: rounded",
                "databricks/databricks-claude-sonnet-4-1 input_dbu_cost_per_token: unit",
                "databricks/databricks-claude-sonnet-4-1 output_cost_per_token: rounded",
                "databricks/databricks-claude-sonnet-4-1 output_dbu_cost_per_token: unit",
                "deepseek-flash off_peak_pricing: condition",
                "gemini/gemini-2.5-flash search_free_requests: condition",
                "gemini/gemini-2.5-flash google_maps_grounding_cost_per_query: condition",
                "gpt-5.4 regional_processing_uplift_multiplier_eu: condition",
                "gpt-5.4 regional_processing_uplift_multiplier_us: condition",
                "perplexity/sonar search_context_cost_per_query: condition",
                "sail/moonshotai/Kimi-K3 input_cost_per_token_balanced: service",
                "sail/moonshotai/Kimi-K3 output_cost_per_token_balanced: service",
                "sail/moonshotai/Kimi-K3 cache_read_input_token_cost_balanced: service",
            ])
        #expect(result.unpriced == ["azure/speech/azure-tts", "fallback_generalizations"])
        #expect(result.book.count == 14)
        #expect(result.free.isEmpty)
        #expect(result.book.price(of: "sample_spec", at: 0) == nil)
        try result.book.validate()
    }

    @Test func `a rate that is too fine is the nearest one`() throws {
        #expect(try rate("databricks/databricks-claude-sonnet-4-1", .input) == 2_999_990_000)
        #expect(try rate("databricks/databricks-claude-sonnet-4-1", .output) == 15_000_020_000)
        for (literal, rate) in [("0.5e-15", 0), ("1.5e-15", 2), ("2.5e-15", 2), ("2.6e-15", 3), ("1e-40", 0)] {
            let result = try read("\"input_cost_per_token\": \(literal)")
            #expect(listed(result) == ["input_cost_per_token: rounded"])
            #expect(result.book.price(of: "m", at: 0)?.rates()?[.input]?.nanodollars == Int64(rate), "\(literal)")
        }
    }

    @Test(
        arguments: [
            "-1e-06", "1e9", "1e999", "\"1e-06\"", "true", "{}", "[1]", "1.2345678901234567890e-6", "1000.01",
        ])
    func `a rate that is none is listed, and the model has no price`(value: String) throws {
        let result = try read("\"input_cost_per_token\": \(value)")
        #expect(listed(result) == ["input_cost_per_token: invalid"])
        #expect(result.unpriced == ["m"])
        #expect(result.book.price(of: "m", at: 0) == nil)
    }

    @Test func `fields that disagree are listed, and the dearer one counts`() throws {
        let result = try read(#""cache_read_input_token_cost": 1e-6, "input_cost_per_token_cache_hit": 2e-6"#)
        #expect(listed(result) == ["input_cost_per_token_cache_hit: conflict"])
        #expect(result.book.price(of: "m", at: 0)?.rates()?[.cacheRead] == .dollars(2))
        #expect(try read(#""input_cost_per_second": 0.5, "output_cost_per_second": 0.0"#).unmapped.isEmpty)
        #expect(try read(#""input_cost_per_second": 0.5, "output_cost_per_second": 0.1"#).unmapped.count == 1)
    }

    @Test func `a price-like field that nobody knows is listed`() throws {
        let result = try read(#""input_cost_per_token": 1, "input_cost_per_thought": 1, "pricing": 2, "mode": "chat""#)
        #expect(listed(result) == ["input_cost_per_thought: unknown", "pricing: unknown"])
        #expect(listed(try read(#""tiered_pricing": 3"#)) == ["tiered_pricing: invalid"])
        #expect(
            listed(try read(#""tiered_pricing": [1, {"max_results_range": [0, 1]}, {"range": [-1, 2]}, {"range": 1}]"#))
                == [
                    "tiered_pricing[0]: invalid", "tiered_pricing[1]: condition", "tiered_pricing[2]: invalid",
                    "tiered_pricing[3]: invalid",
                ])
    }

    @Test func `prices of 0 are taken as they stand, and the model is named`() throws {
        let result = try read(#""input_cost_per_token": 0, "output_cost_per_token": 0.0"#)
        #expect(result.free == ["m"])
        #expect(try result.book.price(of: "m", at: 0)?.cost(of: Usage(input: 5, output: 5)) == .zero)
    }

    @Test func `prices hold from the date that is given`() throws {
        let book = try PriceBook.Import(liteLLM: Array(litellmSlice.utf8), from: 100).book
        #expect(book.price(of: "gpt-4o", at: 99) == nil)
        #expect(book.price(of: "gpt-4o", at: 100) != nil)
    }

    @Test func `what is no table is refused at its byte`() {
        #expect(throws: MalformedJSON(reason: "not an object of models", offset: 0)) {
            try PriceBook.Import(liteLLM: Array("[]".utf8))
        }
        #expect(throws: MalformedJSON(reason: "ends too early", offset: 500)) {
            try PriceBook.Import(liteLLM: Array(litellmSlice.utf8.prefix(500)))
        }
        #expect(throws: MalformedJSON(reason: "the key 'a' again", offset: 9)) {
            try PriceBook.Import(liteLLM: Array(#"{"a": 1, "a": 2}"#.utf8))
        }
    }

    @Test func `changed tables never crash the import`() {
        // In pieces, so that changes reach what lies behind the first one.
        let lines = litellmSlice.split(separator: "\n").dropFirst(2).map(String.init)
        forEachSeed(2_000) { seed, random in
            let start = random.upTo(lines.count - 2)
            var text = lines[start..<min(start + 8, lines.count)].joined(separator: "\n")
            text = "{\"m\": {" + text.drop { $0 != "\"" }
            _ = try? PriceBook.Import(liteLLM: random.mutated(text + "}}"))
            let value = "{\"m\": {\"input_cost_per_token\": \(random.next())e-\(random.upTo(40)), \"tiered_pricing\": ["
            let result = try? PriceBook.Import(
                liteLLM: Array((value + "{\"range\": [\(random.next()), 1], \"input_cost_per_token\": 1}]}}").utf8))
            #expect(result.map { (try? $0.book.validate()) != nil } ?? false, "seed \(seed)")
        }
    }
}
