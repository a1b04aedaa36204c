public import SpillwayCore

extension EngineModel {
    /// What one call asks of an engine.
    public struct Request: Sendable, Hashable {
        /// The prompt's length in tokens, at least 1.
        public var promptTokens: Int
        /// Hashes of the prompt's whole blocks, each chained to those before it.
        ///
        /// Equal hashes mean equal prefixes. Hashes past the last whole block are ignored; none: nothing is shared.
        public var promptBlocks: [UInt64]
        /// Tokens to generate; 0 for a request that ends with its prompt, such as an embedding.
        public var outputTokens: Int

        /// A request for `outputTokens` tokens.
        public init(promptTokens: Int, promptBlocks: [UInt64] = [], outputTokens: Int) {
            self.promptTokens = promptTokens
            self.promptBlocks = promptBlocks
            self.outputTokens = outputTokens
        }
    }

    /// Tokens of one request that became ready.
    public struct Progress: Sendable, Hashable {
        /// The request's id.
        public let id: Int
        /// How many tokens; the first progress of a request is its first token, or 0 when it generates none.
        public let tokens: Int
        /// When they were ready.
        public let at: Instant
        /// Whether the request is done.
        public let isLast: Bool
        /// Tokens of the prompt that did not have to be computed.
        public let cachedTokens: Int

        /// Progress of a request.
        public init(id: Int, tokens: Int, at: Instant, isLast: Bool, cachedTokens: Int = 0) {
            self.id = id
            self.tokens = tokens
            self.at = at
            self.isLast = isLast
            self.cachedTokens = cachedTokens
        }
    }

    /// An engine's gauges and counters, as inference servers publish them.
    public struct Load: Sendable, Hashable {
        /// Requests in the batch.
        public var running = 0
        /// Requests in the queue.
        public var waiting = 0
        /// The share of KV blocks that requests hold, 0 to 1.
        public var kvUsage = 0.0
        /// KV blocks that requests hold.
        public var kvBlocksUsed = 0
        /// KV blocks that nobody holds, kept for prompts that begin alike.
        public var kvBlocksCached = 0
        /// Prompt tokens looked up in the prefix cache since the start, each request once.
        public var prefixQueries = 0
        /// Prompt tokens found there since the start.
        public var prefixHits = 0
        /// How often a request lost its blocks since the start.
        public var preemptions = 0
        /// Tokens generated since the start.
        public var tokensGenerated = 0
        /// Tokens computed since the start: prompts without what was cached, outputs, and what had to be computed again.
        public var tokensComputed = 0

        /// The load of an idle engine that has done nothing yet.
        public init() {}
    }

    /// Why an engine did not take a request.
    public enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        /// As many requests wait as may.
        case queueFull
        /// Prompt and output together exceed the model's context.
        case contextTooLong
        /// Prompt and output would not fit even the empty memory.
        case tooLarge
        /// Prompt and output do not fit what ``EngineModel/limitMemory(toBlocks:)`` leaves.
        case outOfMemory
        /// Less than one prompt token, or less than none to generate.
        case malformed

        /// The refusal in a few words.
        public var description: String {
            switch self {
            case .queueFull: "the queue is full"
            case .contextTooLong: "prompt and output exceed the context"
            case .tooLarge: "prompt and output exceed the KV cache"
            case .outOfMemory: "out of GPU memory"
            case .malformed: "fewer than 1 prompt token or fewer than 0 output tokens"
            }
        }
    }
}
