#if HTTPClientSupport
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
public import Spillway

extension Usage {
    /// What a usage object of the API says that OpenAI made common, such as `{"prompt_tokens": 3, "completion_tokens": 4}`; nil
    /// when it makes no sense.
    public init?(openAI json: some Sequence<UInt8>) {
        guard let object = try? JSONDecoder().decode(OpenAIUsage.self, from: Data(json)) else { return nil }
        self = object.usage
    }
}

/// The usage object of the API that OpenAI made common, in which the prompt and the answer are gross: cached tokens, sound and
/// reasoning are inside of them.
struct OpenAIUsage: Decodable {
    /// The figures in counts that do not overlap, and add up to what the provider says.
    let usage: Usage

    private enum Key: String, CodingKey {
        case prompt = "prompt_tokens"
        case answer = "completion_tokens"
        case total = "total_tokens"
        case promptDetails = "prompt_tokens_details"
        case answerDetails = "completion_tokens_details"
        case cached = "cached_tokens"
        case written = "cache_write_tokens"
        case audio = "audio_tokens"
        case reasoning = "reasoning_tokens"
    }

    /// Reads figures; those that are missing count as 0, parts only as far as there is something that they can be part of.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func tokens(_ key: Key) throws -> Int {
            min(max(0, try fields.decodeIfPresent(Int.self, forKey: key) ?? 0), Usage.most)
        }
        // Details that make no sense are no reason to lose the figures.
        func parts(_ key: Key) -> (Key) -> Int {
            let details = try? fields.nestedContainer(keyedBy: Key.self, forKey: key)
            return { part in max(0, (try? details?.decodeIfPresent(Int.self, forKey: part)) ?? 0) }
        }
        var usage = Usage(), left = 0
        func split(_ whole: Int, into rest: Usage.Meter, _ parts: [(Usage.Meter, Int)]) {
            left = whole
            for (meter, count) in parts {
                usage[meter] = min(count, left)
                left -= usage[meter]
            }
            usage[rest] = left
        }
        let prompt = try tokens(.prompt), inside = parts(.promptDetails)
        split(
            prompt, into: .input,
            [(.cacheRead, inside(.cached)), (.cacheWrite, inside(.written)), (.audioInput, inside(.audio))])
        let details = parts(.answerDetails), reasoning = min(details(.reasoning), Usage.most)
        var answer = try tokens(.answer)
        // Some count reasoning beside the answer; the total says so.
        if reasoning > 0, try tokens(.total) == prompt + answer + reasoning { answer += reasoning }
        split(answer, into: .output, [(.reasoning, reasoning), (.audioOutput, details(.audio))])
        self.usage = usage
    }
}
#endif
