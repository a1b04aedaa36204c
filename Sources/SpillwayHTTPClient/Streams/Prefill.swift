#if HTTPClientSupport
internal import Spillway

/// The part of an answer that is there already, for a target to continue.
public struct Prefill: Sendable, Hashable {
    /// How a target is asked to continue.
    public enum Style: Sendable, Hashable {
        /// The part is the last message, and `continue_final_message` and `add_generation_prompt` say so, as vLLM and SGLang
        /// have it.
        case flags
        /// The part is the last message, and the target continues a last message of the assistant without being told.
        case lastMessage
    }

    /// The text so far.
    public let text: String
    /// About how many tokens it has.
    public let tokens: Int
    /// How the target is asked.
    public let style: Style

    /// A part of an answer.
    public init(text: String, tokens: Int, style: Style = .flags) {
        self.text = text
        self.tokens = tokens
        self.style = style
    }

    /// The body of a request, changed so that it asks for the rest of the answer.
    ///
    /// The text becomes the last message of the assistant, or is added to it where there is one already; `max_tokens` and
    /// `max_completion_tokens` go down by ``tokens``, to 1 at least.
    ///
    /// - Throws: `UpstreamError`, neutral, for a body that is no chat request.
    public func body(_ body: some Sequence<UInt8>) throws(UpstreamError) -> [UInt8] {
        do {
            var fields = try JSON(parsing: body)
            guard var messages = fields["messages"]?.array else {
                throw UpstreamError("a request without messages cannot be continued", .neutral(.invalidRequest))
            }
            if let last = messages.last, last["role"]?.string == "assistant", let start = last["content"]?.string {
                messages[messages.count - 1]["content"] = .string(start + text)
            } else {
                messages.append(.object(["role": .string("assistant"), "content": .string(text)]))
            }
            fields["messages"] = .array(messages)
            for name in ["max_tokens", "max_completion_tokens"] {
                guard let most = fields[name]?.integer else { continue }
                fields[name] = .integer(max(1, most - Int64(tokens)))
            }
            if style == .flags {
                fields["continue_final_message"] = .bool(true)
                fields["add_generation_prompt"] = .bool(false)
            }
            return try fields.bytes()
        } catch let error as UpstreamError {
            throw error
        } catch {
            throw UpstreamError("the request is no JSON", .neutral(.invalidRequest), underlying: error)
        }
    }
}
#endif
