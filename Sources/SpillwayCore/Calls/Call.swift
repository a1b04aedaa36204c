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
    /// How much it matters that the call is answered; nil: as much as what the running task does, else ``Criticality/critical``.
    public var criticality: Criticality?
    /// What the answer must be like, for a router that chooses among models.
    public var needs: Needs

    /// A call.
    ///
    /// - Parameters:
    ///   - tokens: Estimated tokens, none by default.
    ///   - key: Whom the call is for, nobody by default.
    ///   - payer: Who pays for it, nobody in particular by default.
    ///   - idempotency: Whether it may be made twice; by default that is not known.
    ///   - streams: Whether the answer comes in pieces; by default it does not.
    ///   - criticality: How much it matters; by default as much as what the running task does.
    ///   - needs: What the answer must be like; anything by default.
    public init(
        tokens: Tokens = .none, key: String? = nil, payer: (any Payer)? = nil, idempotency: Idempotency = .unknown,
        streams: Bool = false, criticality: Criticality? = nil, needs: Needs = Needs()
    ) {
        self.tokens = tokens
        self.key = key
        self.payer = payer
        self.idempotency = idempotency
        self.streams = streams
        self.criticality = criticality
        self.needs = needs
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

    /// What the answer of a model must be like.
    public struct Needs: Sendable, Hashable {
        /// How good the model must at least be, on the scale on which the user has rated models, from 0 to 1; 0: any.
        ///
        /// Tiers without a model, such as a cache, are not asked for it.
        public var quality: Double
        /// How hard the task is, from 0 to 1, for tiers that choose by it; 0: easy.
        public var difficulty: Double
        /// What the answer is worth, in nano-dollars; nil: any price.
        ///
        /// No model is asked that would cost more.
        public var value: Int64?

        /// Needs; none by default.
        public init(quality: Double = 0, difficulty: Double = 0, value: Int64? = nil) {
            self.quality = quality
            self.difficulty = difficulty
            self.value = value
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
