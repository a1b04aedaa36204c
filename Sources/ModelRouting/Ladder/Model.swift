public import SpillwayCore

/// A model at a provider, as a tier's target: what it is good for, what it costs, and how it does.
///
/// A gate that lets every call pass and watches: how many calls are under way there, how long answers take, and whether it fails.
/// Routers read that to choose. Put the same model into several tiers and routers, so that all of them see the same; its own gates
/// (breaker, quota, account) are asked together with it.
public final class Model: BuiltInGate {
    /// What a call to a model costs.
    public enum Cost: Sendable {
        /// Nothing.
        case free
        /// Nano-dollars for a million tokens of the prompt and of the answer.
        case perMillion(input: Int64, output: Int64)
        /// Nano-dollars, as somebody else computes them for a call; nil when nobody knows.
        ///
        /// Asked each time that models are compared by price, so it should be quick.
        case estimated(@Sendable (Call, Instant) -> Int64?)

        /// What `call` is estimated to cost, in nano-dollars; nil: nobody knows.
        public func nanoDollars(_ call: Call, at now: Instant) -> Int64? {
            switch self {
            case .free: return 0
            case .perMillion(let input, let output): return Self.nanoDollars(input: input, output: output, call.tokens)
            case .estimated(let compute): return compute(call, now)
            }
        }

        /// Rounded down, and at most as dear as can be.
        static func nanoDollars(input: Int64, output: Int64, _ tokens: Call.Tokens) -> Int64 {
            let (first, overflow) = Int64(tokens.input).multipliedReportingOverflow(by: input)
            let (second, too) = Int64(tokens.maxOutput).multipliedReportingOverflow(by: output)
            let (sum, much) = first.addingReportingOverflow(second)
            return overflow || too || much ? .max : sum / 1_000_000
        }
    }

    /// What a model is good for.
    public struct Configuration: Sendable {
        /// How good its answers are, as the user has rated them, from 0 to 1; 0.5 by default.
        public var quality = 0.5
        /// The tokens of prompt and answer together that it takes, 1 or more; nil, the default: nobody knows.
        public var window: Int?
        /// What calls cost; nothing by default.
        public var cost = Cost.free
        /// Its share of the calls in a tier that chooses by weight, above 0 to 1,000; 1 by default.
        public var weight = 1.0
        /// How many attempts in a row a call may make of it before it goes on elsewhere, 1 to 16; 1 by default.
        ///
        /// More for a fleet of replicas that gives each attempt another one; then a hedge may stand beside an attempt there, too. Each is
        /// paid for as any fallback is.
        public var attempts = 1
        /// After how many failures in a row it is asked last, 1 to 1,000; 3 by default.
        public var failuresToCool = 3
        /// How long it is asked last then, doubled with every further failure; 1 s by default.
        ///
        /// A success ends it.
        public var cooldown = Duration.seconds(1)
        /// The longest such time; 30 s by default.
        ///
        /// What a provider asks for itself is always kept.
        public var maximumCooldown = Duration.seconds(30)

        /// Whether it stands for several replicas, of which each attempt gets another.
        package var isFleet: Bool { attempts > 1 }

        /// The defaults; they may be changed in `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        /// A model of this quality, window and cost.
        public init(quality: Double, window: Int? = nil, cost: Cost = .free, weight: Double = 1) {
            self.quality = quality
            self.window = window
            self.cost = cost
            self.weight = weight
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("Model")
            try check.number(quality, "quality", in: 0...1)
            if let window { try check.count(window, "window", in: 1...Int(UInt32.max)) }
            try check.number(weight, "weight", in: 0.000_001...1_000)
            try check.count(attempts, "attempts", in: 1...16)
            try check.count(failuresToCool, "failuresToCool", in: 1...1_000)
            try check.duration(cooldown, "cooldown")
            try check.duration(maximumCooldown, "maximumCooldown", atLeast: cooldown)
            if case .perMillion(let input, let output) = cost {
                try check.require(
                    input >= 0 && output >= 0, "cost", "\(input) and \(output) nano-dollars", "0 or more each")
            }
        }
    }

    private static let pool = StatePool<ModelState>()

    /// What attempts, reports and metrics call the model.
    public let name: String
    /// Whose it is: when the credit there is used up or the key is refused, its other models are not asked either.
    public let provider: String?
    /// What it is good for.
    public let configuration: Configuration
    let gates: [any Gate]
    let model: ModelState
    /// What permits and policies point to.
    public var state: GateState { model }

    /// A model of which nothing is known yet.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - provider: Whose it is; nil: it shares key and credit with no other.
    ///   - configuration: What it is good for.
    ///   - gates: What each of its attempts passes, beside those of the tier and the policy.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, at provider: String? = nil, _ configuration: Configuration = Configuration(),
        gates: [any Gate] = []
    ) throws(ConfigurationError) {
        try Validation("Model").name(name)
        try configuration.validate()
        self.name = name
        self.provider = provider
        self.configuration = configuration
        self.gates = gates
        model = Self.pool.take { ModelState() }
        model.begin(configuration)
    }

    deinit {
        model.endLife()
        Self.pool.put(model)
    }

    /// Counts the call as under way; never refuses.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit { try model.admit(call, at: now) }

    /// Calls that are under way.
    public var inFlight: Int { model.inFlight }

    /// How long answers take of late, to the first content where they stream; nil until one has come.
    ///
    /// A mean in which each answer counts a tenth, and which falls by half in every ten seconds without an answer, so that a model that
    /// was slow is asked again.
    public func latency(at now: Instant) -> Duration? {
        let known = model.latency(at: now)
        return known == 0 ? nil : .nanoseconds(known)
    }

    /// Until when it is asked last; nil when it is not.
    public func coolsUntil(at now: Instant) -> Instant? {
        let until = model.cooledUntil
        return until > now.nanoseconds ? Instant(nanoseconds: until) : nil
    }
}
