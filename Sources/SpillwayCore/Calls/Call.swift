/// What a policy knows of a call before it runs: what it will take, who it is for, and whether it may be repeated.
public struct Call: Sendable {
    /// How many tokens the call will take, as estimated.
    ///
    /// Gates that count tokens charge this.
    public var tokens: Tokens
    /// Whom the call is for, such as a tenant.
    ///
    /// Gates that keep a limit per key use it; nil: nobody in particular.
    public var key: String?
    /// Who pays for the call, such as an `Account` or a `Bill` of the `CostLedger` module; nil: nobody in particular.
    public var payer: (any Payer)?
    /// Whether the call may be made twice.
    ///
    /// See ``Idempotency``.
    public var idempotency: Idempotency
    /// Whether the answer comes in pieces, so that it has a first content, and may stall.
    public var streams: Bool

    /// A call.
    ///
    /// - Parameters:
    ///   - tokens: Estimated tokens, none by default.
    ///   - key: Whom the call is for, nobody by default.
    ///   - payer: Who pays for it, nobody in particular by default.
    ///   - idempotency: Whether it may be made twice; by default that is not known.
    ///   - streams: Whether the answer comes in pieces; by default it does not.
    public init(
        tokens: Tokens = .none, key: String? = nil, payer: (any Payer)? = nil, idempotency: Idempotency = .unknown,
        streams: Bool = false
    ) {
        self.tokens = tokens
        self.key = key
        self.payer = payer
        self.idempotency = idempotency
        self.streams = streams
    }

    /// Estimated tokens of a call.
    public struct Tokens: Sendable, Hashable {
        /// Tokens of the prompt.
        public let input: UInt32
        /// The most tokens that may be generated.
        public let maxOutput: UInt32

        /// No tokens: a call that is not to a model.
        public static let none = Tokens(input: 0, maxOutput: 0)

        /// An estimate.
        ///
        /// Numbers below 0 count as 0, and above `UInt32.max` as that.
        public static func estimate(input: Int, maxOutput: Int) -> Tokens {
            Tokens(input: UInt32(clamping: input), maxOutput: UInt32(clamping: maxOutput))
        }

        /// Prompt and output together; at most `UInt32.max`.
        public var total: UInt32 {
            let (sum, overflow) = input.addingReportingOverflow(maxOutput)
            return overflow ? .max : sum
        }
    }

    /// Whether a call may be made twice.
    public enum Idempotency: Sendable, Hashable {
        /// Not known: it is tried again only when the target surely did not begin it.
        case unknown
        /// Making it twice does no more than making it once. Asking a model for text is such a call, at twice the price.
        case idempotent
        /// The target tells repetitions by this key, which the caller sends along.
        case key(String)

        /// Whether a call that may have been begun can be made again.
        public var allowsRepetition: Bool {
            if case .unknown = self { false } else { true }
        }
    }
}

/// Who pays for calls.
///
/// Gates that hold money know their own kinds.
public protocol Payer: AnyObject, Sendable {}
