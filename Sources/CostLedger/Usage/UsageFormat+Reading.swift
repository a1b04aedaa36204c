import SpillwayCore

/// A provider's usage object, while it is read.
struct UsageFields {
    private let fields: JSON
    var discrepancies: [UsageReading.Discrepancy] = []

    init(_ fields: [String: JSON]) { self.fields = .object(fields.map { JSON.Member(key: $0.key, value: $0.value) }) }

    subscript(path: String...) -> JSON? { path.reduce(JSON?.some(fields)) { $0?[$1] } }

    /// The count at `path`, made one if it is none; nil when there is nothing.
    mutating func count(_ path: String...) -> Int? {
        guard let value = path.reduce(JSON?.some(fields), { $0?[$1] }) else { return nil }
        return count(value, path.joined(separator: "."))
    }

    mutating func count(_ value: JSON, _ field: String, scaledBy power: Int = 0) -> Int {
        let literal = value.literal ?? ""
        if let (count, isExact) = DecimalNumber(literal)?.rounded(scaledBy: power) {
            let kept = min(max(0, Int(count)), Usage.most)
            // Seconds have fractions, tokens have none.
            if kept != count || (!isExact && power == 0) { discrepancies.append(.count(field: field)) }
            return kept
        }
        discrepancies.append(.count(field: field))
        // More digits than any count has: what matters is on which side of the range it lies.
        return Double(literal).map { Int(min(max(0, $0), Double(Usage.most))) } ?? 0
    }

    /// Tokens of each kind in a list such as `[{"modality": "AUDIO", "tokenCount": 7}]`.
    mutating func modalities(_ field: String) -> (audio: Int, image: Int) {
        var audio = 0, image = 0
        for part in self[field]?.elements ?? [] {
            guard let value = part["tokenCount"] else { continue }
            let tokens = count(value, field + ".tokenCount")
            switch part["modality"]?.text {
            case "AUDIO": audio = min(audio + tokens, Usage.most)
            case "IMAGE", "VIDEO": image = min(image + tokens, Usage.most)
            default: break
            }
        }
        return (audio, image)
    }

    /// Takes apart a prompt that has all its parts inside of it.
    mutating func prompt(
        _ usage: inout Usage, _ said: Int?, field: String, cached: Int, written: Int = 0, audio: Int, image: Int,
        cachedAudio: Int?, cachedImage: Int = 0
    ) {
        // Where the provider does not say how much of the sound was cached, it is what would not fit otherwise.
        let overlap = said.map { max(0, cached + written + audio + image - $0) } ?? 0
        let cachedAudio = min(cachedAudio ?? overlap, cached, audio)
        let cachedImage = min(cachedImage, cached - cachedAudio, image)
        split(
            &usage, said, field: field, rest: .input,
            [
                (.audioCacheRead, cachedAudio), (.cacheRead, cached - cachedAudio), (.cacheWrite, written),
                (.audioInput, audio - cachedAudio), (.imageInput, image - cachedImage),
            ])
    }

    /// Gives each part its tokens while there are some left, and the rest to `rest`: the sum is what was said.
    mutating func split(
        _ usage: inout Usage, _ said: Int?, field: String, rest: Usage.Meter, _ parts: [(Usage.Meter, Int)]
    ) {
        let counted = parts.reduce(0) { $0 + $1.1 }
        var left = said ?? min(counted, Usage.most)
        if counted > left { discrepancies.append(.parts(field: field, said: left, counted: counted)) }
        for (meter, tokens) in parts {
            usage[meter] = min(tokens, left)
            left -= usage[meter]
        }
        usage[rest] = left
    }

    mutating func check(_ total: Int?, _ field: String, counted: Int) {
        if let total, total != counted { discrepancies.append(.total(field: field, said: total, counted: counted)) }
    }

    /// The service of that name.
    mutating func service(_ name: String?) -> Price.Service? {
        guard let name else { return nil }
        switch name.lowercased() {
        case "default", "standard", "on_demand": return .standard
        case "batch": return .batch
        case "flex", "on_demand_flex": return .flex
        case "priority", "on_demand_priority": return .priority
        case "", "auto", "unspecified", "traffic_type_unspecified": return nil
        default:
            discrepancies.append(.service(name))
            return nil
        }
    }
}

extension UsageFormat {
    /// What `fields` say, in counts that do not overlap.
    func reading(of fields: UsageFields, service: String?, isFinal: Bool) -> UsageReading {
        var fields = fields, usage = Usage()
        switch self {
        case .openAI: readOpenAI(&fields, &usage)
        case .anthropic: readAnthropic(&fields, &usage)
        case .gemini: readGemini(&fields, &usage)
        }
        let named =
            service ?? ["service_tier", "serviceTier", "trafficType"].lazy.compactMap { fields[$0]?.text }.first
        var kind = fields.service(named)
        if let speed = fields["speed"]?.text, speed != "standard" {
            // Anthropic's fast mode has prices of its own.
            fields.discrepancies.append(.service(speed))
            kind = nil
        }
        return UsageReading(usage: usage, service: kind, isFinal: isFinal, discrepancies: fields.discrepancies)
    }

    private func readOpenAI(_ fields: inout UsageFields, _ usage: inout Usage) {
        let input = ["prompt_tokens", "input_tokens"].first { fields[$0] != nil } ?? "prompt_tokens"
        let output = ["completion_tokens", "output_tokens"].first { fields[$0] != nil } ?? "completion_tokens"
        // Chat says `…_tokens_details`, realtime and transcriptions say `…_token_details`.
        func details(_ names: [String]) -> String { names.first { fields[$0] != nil } ?? names[0] }
        let inputs = details(["prompt_tokens_details", "input_tokens_details", "input_token_details"])
        let outputs = details(["completion_tokens_details", "output_tokens_details", "output_token_details"])

        let prompt = fields.count(input), total = fields.count("total_tokens")
        var answer = fields.count(output)
        let cached = fields.count(inputs, "cached_tokens") ?? fields.count("prompt_cache_hit_tokens") ?? 0
        fields.prompt(
            &usage, prompt, field: input, cached: cached,
            written: fields.count(inputs, "cache_write_tokens") ?? 0,
            audio: fields.count(inputs, "audio_tokens") ?? 0, image: fields.count(inputs, "image_tokens") ?? 0,
            cachedAudio: fields.count(inputs, "cached_tokens_details", "audio_tokens"),
            cachedImage: fields.count(inputs, "cached_tokens_details", "image_tokens") ?? 0)

        let reasoning = fields.count(outputs, "reasoning_tokens") ?? 0
        if let gross = answer, let total, total != usage.promptTokens + gross,
            total == usage.promptTokens + gross + reasoning
        {
            answer = gross + reasoning
        }
        fields.split(
            &usage, answer, field: output, rest: .output,
            [
                (.reasoning, reasoning), (.audioOutput, fields.count(outputs, "audio_tokens") ?? 0),
                (.imageOutput, fields.count(outputs, "image_tokens") ?? 0),
            ])
        // Predicted tokens are inside of the answer, the rejected ones too, and are charged like it.
        let predicted =
            (fields.count(outputs, "accepted_prediction_tokens") ?? 0)
            + (fields.count(outputs, "rejected_prediction_tokens") ?? 0)
        if predicted > usage.answerTokens {
            fields.discrepancies.append(.parts(field: output, said: usage.answerTokens, counted: predicted))
        }
        fields.check(total, "total_tokens", counted: usage.tokens)
        if let seconds = fields["seconds"] { usage[.milliseconds] = fields.count(seconds, "seconds", scaledBy: 3) }
    }

    private func readAnthropic(_ fields: inout UsageFields, _ usage: inout Usage) {
        usage[.input] = fields.count("input_tokens") ?? 0
        usage[.cacheRead] = fields.count("cache_read_input_tokens") ?? 0
        let hour = fields.count("cache_creation", "ephemeral_1h_input_tokens")
        let minutes = fields.count("cache_creation", "ephemeral_5m_input_tokens")
        let written = fields.count("cache_creation_input_tokens")
        let parts = (hour ?? 0) + (minutes ?? 0)
        usage[.cacheWriteHour] = hour ?? 0
        // What has no lifetime is kept for the shortest, which is the default.
        usage[.cacheWrite] = (minutes ?? 0) + max(0, (written ?? 0) - parts)
        if hour != nil || minutes != nil { fields.check(written, "cache_creation_input_tokens", counted: parts) }
        let thinking = fields.count("output_tokens_details", "thinking_tokens") ?? 0
        fields.split(
            &usage, fields.count("output_tokens"), field: "output_tokens", rest: .output, [(.reasoning, thinking)])
        usage[.toolCalls] = fields.count("server_tool_use", "web_search_requests") ?? 0
    }

    private func readGemini(_ fields: inout UsageFields, _ usage: inout Usage) {
        let prompt = fields.count("promptTokenCount") ?? 0, tools = fields.count("toolUsePromptTokenCount") ?? 0
        let inside = fields.modalities("promptTokensDetails"), beside = fields.modalities("toolUsePromptTokensDetails")
        let cached = fields.modalities("cacheTokensDetails")
        let hasDetails = fields["cacheTokensDetails"] != nil
        fields.prompt(
            &usage, prompt + tools, field: "promptTokenCount", cached: fields.count("cachedContentTokenCount") ?? 0,
            audio: inside.audio + beside.audio, image: inside.image + beside.image,
            cachedAudio: hasDetails ? cached.audio : nil, cachedImage: cached.image)

        let candidates = fields.count("candidatesTokenCount") ?? fields.count("responseTokenCount") ?? 0
        let thoughts = fields.count("thoughtsTokenCount") ?? 0
        let kinds = fields.modalities(
            fields["candidatesTokensDetails"] != nil ? "candidatesTokensDetails" : "responseTokensDetails")
        fields.split(
            &usage, candidates, field: "candidatesTokenCount", rest: .output,
            [(.audioOutput, kinds.audio), (.imageOutput, kinds.image)])
        usage[.reasoning] = thoughts
        fields.check(fields.count("totalTokenCount"), "totalTokenCount", counted: usage.tokens)
    }
}
