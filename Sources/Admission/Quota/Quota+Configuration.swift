internal import CSpillway
internal import SpillwayCore

extension Quota {
    /// How fast one limit fills, and how much it holds.
    public struct Limit: Sendable, Hashable {
        /// How fast it fills.
        public var rate: Rate
        /// The most that it holds, at least 1; nil: what comes in the rate's span.
        public var burst: UInt32?

        /// A limit that fills at `rate`.
        public init(_ rate: Rate, burst: UInt32? = nil) {
            self.rate = rate
            self.burst = burst
        }

        /// `units` in a second.
        public static func perSecond(_ units: Double, burst: UInt32? = nil) -> Limit {
            Limit(.perSecond(units), burst: burst)
        }
        /// `units` in a minute.
        public static func perMinute(_ units: Double, burst: UInt32? = nil) -> Limit {
            Limit(.perMinute(units), burst: burst)
        }
        /// `units` in a day.
        public static func perDay(_ units: Double, burst: UInt32? = nil) -> Limit {
            Limit(.perDay(units), burst: burst)
        }

        /// What it holds.
        var size: UInt32 {
            // What is no number is refused, but only after it has been asked.
            burst ?? (rate.units.isFinite ? UInt32(min(max(rate.units.rounded(.down), 1), Double(UInt32.max))) : 1)
        }
    }

    /// What a quota learns from the provider's answers.
    public enum Learning: Sendable, Hashable {
        /// Limits, rates and what is left, also more than is configured.
        case all
        /// As ``all``, but never more than is configured, where something is.
        case withinConfigured
        /// Pauses that are asked for, quotas that are used up and keys that are refused; nothing of headers.
        case refusals
    }

    /// The limits of a quota.
    public struct Configuration: Sendable, Hashable {
        /// Requests; nil: learnt.
        public var requests: Limit?
        /// Requests over a longer span; nil: not limited.
        public var requestsPerDay: Limit?
        /// Tokens of prompt and answer together; nil: learnt.
        public var tokens: Limit?
        /// Tokens over a longer span; nil: not limited.
        public var tokensPerDay: Limit?
        /// Tokens of prompts; nil: learnt.
        public var inputTokens: Limit?
        /// Tokens of answers; nil: learnt.
        public var outputTokens: Limit?
        /// The most calls under way at one time, at least 1; nil: as many as may be.
        public var concurrency: Int?
        /// What is learnt from answers; ``Quota/Learning/all`` by default.
        public var learning: Learning = .all
        /// The longest pause for which the provider is believed; 10 minutes by default, up to a day.
        ///
        /// For this long a quota of the day counts as used up, too, whose reset nobody names.
        public var longestPause: Duration = .seconds(600)
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow = false

        /// Limits; those that are not given are learnt from answers.
        public init(
            requests: Limit? = nil, requestsPerDay: Limit? = nil, tokens: Limit? = nil, tokensPerDay: Limit? = nil,
            inputTokens: Limit? = nil, outputTokens: Limit? = nil, concurrency: Int? = nil, learning: Learning = .all,
            longestPause: Duration = .seconds(600), shadow: Bool = false
        ) {
            self.requests = requests
            self.requestsPerDay = requestsPerDay
            self.tokens = tokens
            self.tokensPerDay = tokensPerDay
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
            self.concurrency = concurrency
            self.learning = learning
            self.longestPause = longestPause
            self.shadow = shadow
        }

        subscript(dimension: Dimension) -> Limit? {
            switch dimension {
            case .requests: requests
            case .requestsPerDay: requestsPerDay
            case .tokens: tokens
            case .tokensPerDay: tokensPerDay
            case .inputTokens: inputTokens
            case .outputTokens: outputTokens
            case .concurrency: nil
            }
        }

        func validate() throws(ConfigurationError) {
            for dimension in Dimension.allCases {
                guard let limit = self[dimension] else { continue }
                do throws(ConfigurationError) { _ = try limit.rate.interval(burst: limit.size, "Quota") } catch {
                    throw ConfigurationError(
                        policy: "Quota", field: "\(dimension): \(error.field)", value: error.value,
                        expected: error.expected)
                }
                try Validation("Quota").require(
                    limit.burst != 0, "\(dimension): burst", 0, "from 1 to \(UInt32.max)")
            }
            if let concurrency { try Validation("Quota").count(concurrency, "concurrency", in: 1...1_000_000) }
            try Validation("Quota").duration(longestPause, "longestPause", atLeast: .seconds(1))
            try Validation("Quota").require(
                longestPause <= .seconds(86_400), "longestPause", longestPause, "at most a day")
        }
    }
}
