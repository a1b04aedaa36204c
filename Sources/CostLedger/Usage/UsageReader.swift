/// Reads usage out of the pieces of one answer, be it one or a stream of chunks.
///
/// Every figure is cumulative: the last one that a provider gives for a field counts, and they are never added up. A field that
/// a later piece leaves out keeps its figure: Anthropic gives the prompt at the start and the answer at the end.
public struct UsageReader: Sendable {
    /// The provider's form.
    public let format: UsageFormat
    /// What has been said so far; nil before the first word.
    ///
    /// When a stream breaks off, `isFinal` is false.
    public private(set) var reading: UsageReading?

    private var fields: [String: JSON] = [:]
    private var service: String?
    private var isFinal = false

    /// A reader for one answer.
    public init(_ format: UsageFormat) { self.format = format }

    /// Reads the next piece: the JSON of a chunk or event, without `data:`; passes over quickly what says nothing about usage.
    ///
    /// - Returns: ``reading``.
    /// - Throws: ``MalformedJSON`` when it is not strict JSON; what was read before stays.
    @discardableResult
    public mutating func read(_ bytes: some Collection<UInt8>) throws(MalformedJSON) -> UsageReading? {
        let mayMatter =
            bytes.withContiguousStorageIfAvailable(Self.mayMatter)
            ?? Array(bytes).withUnsafeBufferPointer(Self.mayMatter)
        guard mayMatter else { return reading }
        take(try JSON(bytes))
        return reading
    }

    /// Whether the text has a word of any usage.
    private static func mayMatter(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // `usage`, `usageMetadata`, `…_tokens` and `…TokenCount` have one of these in them.
        contains("sage", bytes) || contains("oken", bytes) || contains("seconds", bytes)
    }

    private static func contains(_ word: StaticString, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count >= count else { return false }
        for start in 0...(bytes.count - count) where bytes[start] == word.utf8Start[0] {
            if (1..<count).allSatisfy({ bytes[start + $0] == word.utf8Start[$0] }) { return true }
        }
        return false
    }

    private mutating func take(_ json: JSON) {
        // A stream of Gemini's that is not sent as events is an array.
        if let pieces = json.elements { return pieces.forEach { take($0) } }
        let found: [JSON.Member]?
        switch format {
        case .openAI: found = takeOpenAI(json)
        case .anthropic: found = takeAnthropic(json)
        case .gemini: found = takeGemini(json)
        }
        for field in found ?? [] where field.value != .null { fields[field.key] = field.value }
        guard !fields.isEmpty else { return }
        reading = format.reading(of: UsageFields(fields), service: service, isFinal: isFinal)
    }

    /// The usage in a chunk or an answer; or the object itself when it has figures.
    private mutating func takeOpenAI(_ json: JSON) -> [JSON.Member]? {
        let answer = json["response"] ?? json
        if let tier = answer["service_tier"]?.text { service = tier }
        guard let usage = answer["usage"]?.members else {
            guard ["prompt_tokens", "input_tokens", "total_tokens", "seconds"].contains(where: { json[$0] != nil })
            else { return nil }
            isFinal = true
            return json.members
        }
        switch (json["type"]?.text, json["object"]?.text) {
        case ("response.completed", _), ("response.incomplete", _), ("response.failed", _): isFinal = true
        case (let type?, _) where type.hasPrefix("response."): isFinal = isFinal || type == "response.done"
        case (_, "chat.completion.chunk"), (_, "text_completion.chunk"):
            // The last chunk has no choices. Who sends usage along with content says so with a finish reason.
            let choices = json["choices"]?.elements ?? []
            isFinal = isFinal || choices.allSatisfy { $0["finish_reason"] != nil }
        default: isFinal = true
        }
        return usage
    }

    private mutating func takeAnthropic(_ json: JSON) -> [JSON.Member]? {
        switch json["type"]?.text {
        case "message_start":
            // The count of the answer is a placeholder, whatever it is.
            isFinal = false
            return json["message"]?["usage"]?.members
        case "message_delta":
            if json["delta"]?["stop_reason"] != nil { isFinal = true }
            return json["usage"]?.members
        default:
            guard let usage = json["usage"]?.members else {
                guard json["input_tokens"] != nil || json["output_tokens"] != nil else { return nil }
                isFinal = true
                return json.members
            }
            isFinal = true
            return usage
        }
    }

    private mutating func takeGemini(_ json: JSON) -> [JSON.Member]? {
        let answer = json["response"] ?? json
        guard let usage = answer["usageMetadata"]?.members else {
            guard json["promptTokenCount"] != nil || json["totalTokenCount"] != nil else { return nil }
            isFinal = true
            return json.members
        }
        let candidates = answer["candidates"]?.elements ?? []
        isFinal = isFinal || candidates.contains { $0["finishReason"] != nil } || answer["promptFeedback"] != nil
        return usage
    }
}
