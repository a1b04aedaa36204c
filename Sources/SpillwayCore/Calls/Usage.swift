/// What an attempt really used, in counts that do not overlap: every token is in one of them.
///
/// Providers count in ways of their own, some with cached tokens inside of the prompt and some beside it; the `CostLedger`
/// module reads them into this. A count below 0 counts as 0, and one above 10¹² as that.
public struct Usage: Sendable, Hashable {
    /// What is counted.
    public enum Meter: Int, Sendable, Hashable, CaseIterable {
        /// Tokens of the prompt that were read from no cache and written to none.
        case input
        /// Tokens of the prompt that the provider's cache had.
        case cacheRead
        /// Tokens of the prompt that were written to the provider's cache, for some minutes.
        case cacheWrite
        /// Tokens of the prompt that were written to the provider's cache, for an hour.
        case cacheWriteHour
        /// Tokens of the prompt that were written to the provider's cache, for half a day.
        case cacheWriteHalfDay
        /// Tokens of the answer that the caller sees.
        case output
        /// Tokens of the answer that the model kept to itself.
        case reasoning
        /// Tokens of sound in the prompt.
        case audioInput
        /// Tokens of sound in the prompt that the provider's cache had.
        case audioCacheRead
        /// Tokens of sound in the answer.
        case audioOutput
        /// Tokens of images in the prompt.
        case imageInput
        /// Tokens of images in the answer.
        case imageOutput
        /// Images that were made.
        case images
        /// Requests, for prices by the request.
        case requests
        /// Milliseconds of sound, film or computing, for prices by the second.
        case milliseconds
        /// Searches and calls of other tools that the provider ran.
        case toolCalls

        /// Whether it counts tokens of the prompt.
        public var isPrompt: Bool {
            switch self {
            case .input, .cacheRead, .cacheWrite, .cacheWriteHour, .cacheWriteHalfDay, .audioInput, .audioCacheRead,
                .imageInput:
                true
            default: false
            }
        }

        /// Whether it counts tokens of the answer.
        public var isAnswer: Bool {
            switch self {
            case .output, .reasoning, .audioOutput, .imageOutput: true
            default: false
            }
        }
    }

    /// Where figures come from, the surest last.
    public enum Source: UInt8, Sendable, Hashable, Comparable, CaseIterable {
        /// Assumed before the call, or for one that ended without a word.
        case estimated
        /// Counted here while the answer came.
        case metered
        /// The provider said so.
        case provider

        /// Orders sources by how sure they are.
        public static func < (left: Source, right: Source) -> Bool { left.rawValue < right.rawValue }
    }

    /// The largest count: 10¹².
    public static let most = 1_000_000_000_000

    /// One count for each ``Meter``, by its raw value.
    public private(set) var counts = SIMD16<Int64>()
    /// Where the figures come from.
    public var source: Source

    /// Counts, all 0 but for those given.
    ///
    /// - Parameters:
    ///   - input: Tokens of the prompt that no cache had.
    ///   - cacheRead: Tokens of the prompt that the provider's cache had.
    ///   - output: Tokens of the answer that the caller sees.
    ///   - reasoning: Tokens of the answer that the model kept to itself.
    ///   - requests: Requests; 1 by default.
    ///   - source: Where the figures come from; the provider by default.
    public init(
        input: Int = 0, cacheRead: Int = 0, output: Int = 0, reasoning: Int = 0, requests: Int = 1,
        source: Source = .provider
    ) {
        self.source = source
        self[.input] = input
        self[.cacheRead] = cacheRead
        self[.output] = output
        self[.reasoning] = reasoning
        self[.requests] = requests
    }

    /// The count of `meter`.
    @inlinable
    public subscript(meter: Meter) -> Int {
        get { Int(counts[meter.rawValue]) }
        set { set(meter, newValue) }
    }

    @usableFromInline
    mutating func set(_ meter: Meter, _ count: Int) { counts[meter.rawValue] = Int64(min(max(0, count), Self.most)) }

    // Written out, because prices ask for them in the hot path.
    /// Tokens of the prompt, of all kinds.
    public var promptTokens: Int {
        Int(counts[0] &+ counts[1] &+ counts[2] &+ counts[3] &+ counts[4] &+ counts[7] &+ counts[8] &+ counts[10])
    }
    /// Tokens of the answer, of all kinds.
    public var answerTokens: Int { Int(counts[5] &+ counts[6] &+ counts[9] &+ counts[11]) }
    /// All tokens.
    public var tokens: Int { promptTokens + answerTokens }

    /// What two attempts used together; as sure as the less sure of them.
    public static func + (left: Usage, right: Usage) -> Usage {
        var sum = left
        sum.counts = pointwiseMin(left.counts &+ right.counts, SIMD16(repeating: Int64(most)))
        sum.source = min(left.source, right.source)
        return sum
    }

    /// What a call is taken to use before it runs: its prompt read from no cache, and the longest answer.
    public init(estimatedFor tokens: Call.Tokens) {
        self.init(input: Int(tokens.input), output: Int(tokens.maxOutput), source: .estimated)
    }
}
