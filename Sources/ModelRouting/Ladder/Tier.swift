public import SpillwayCore

/// One rung of a ladder: models of about the same worth, or another source of answers.
public struct Tier: Sendable {
    /// What must hold for a tier to be asked.
    public struct Needs: Sendable {
        /// How much time must be left until the deadline; none by default.
        public var time = Duration.zero
        /// Up to what load it is asked, 1 for full; any by default.
        public var saturation = Double.infinity
        /// How busy it is, 1 for full; what is no number counts as 0.
        ///
        /// Asked for each call that comes to the tier, so it should be quick.
        public var load: (@Sendable (_ now: Instant) -> Double)?

        /// What must hold; nothing by default.
        public init(time: Duration = .zero) { self.time = time }

        /// A load below `saturation`, and `time` left.
        public init(
            time: Duration = .zero, saturationBelow saturation: Double,
            load: @escaping @Sendable (_ now: Instant) -> Double
        ) {
            self.time = time
            self.saturation = saturation
            self.load = load
        }
    }

    /// What answers, reports and metrics call the tier.
    public let name: String
    /// What kind of answer it gives.
    public let kind: ServiceMode.Kind
    /// How one of its models is chosen.
    public let choice: Choice
    let models: [Model]
    let gates: [any Gate]
    let needs: Needs
    /// The most tokens of an answer here; nil: as many as the call asks for.
    public let maxOutput: Int?
    /// Limits on the time of each attempt here, in place of the policy's; nil: those.
    public let timeout: AttemptTimeout?
    /// Where to go on after what went wrong; else at the next tier.
    let fallbacks: [Outcome.Cause: String]
    /// Whether it is only asked where a fallback names it.
    public let isSpare: Bool

    /// A tier of models.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - choice: How one of the models is chosen; the first that admits by default.
    ///   - models: At least one.
    ///   - gates: What each attempt here passes, whichever model it asks.
    ///   - needs: What must hold for the tier to be asked.
    ///   - maxOutput: The most tokens of an answer; as many as the call asks for by default. `Attempt.call` says it.
    ///   - timeout: Limits on the time of each attempt; those of the policy by default.
    ///   - fallbacks: At which tier to go on after a failure of this cause; at the next one by default. Gates that are full count as
    ///     `overloaded`, `rateLimited`, `quotaExhausted`.
    ///   - isSpare: Whether it is asked only where a fallback names it, as capacity that costs more; false by default.
    public init(
        _ name: String, choice: Choice = .inOrder, models: [Model], gates: [any Gate] = [], needs: Needs = Needs(),
        maxOutput: Int? = nil, timeout: AttemptTimeout? = nil, fallbacks: [Outcome.Cause: String] = [:],
        isSpare: Bool = false
    ) {
        self.name = name
        kind = .model
        self.choice = choice
        self.models = models
        self.gates = gates
        self.needs = needs
        self.maxOutput = maxOutput
        self.timeout = timeout
        self.fallbacks = fallbacks
        self.isSpare = isSpare
    }

    /// A tier that asks no model: its attempts cost nothing of the budget for extra attempts.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes. It is also the attempt's target.
    ///   - kind: `retrieval`, `cache` or `deferral`.
    ///   - gates: What each attempt here passes.
    ///   - needs: What must hold for the tier to be asked.
    ///   - timeout: Limits on the time of each attempt; those of the policy by default.
    public init(
        _ name: String, _ kind: ServiceMode.Kind, gates: [any Gate] = [], needs: Needs = Needs(),
        timeout: AttemptTimeout? = nil
    ) {
        self.name = name
        self.kind = kind
        choice = .inOrder
        models = []
        self.gates = gates
        self.needs = needs
        maxOutput = nil
        self.timeout = timeout
        fallbacks = [:]
        isSpare = false
    }

    func validate() throws(ConfigurationError) {
        let check = Validation("Tier")
        try check.name(name)
        try check.require(
            (kind == .model) != models.isEmpty, "models", "\(models.count) models in '\(name)'",
            "at least one in a tier of models")
        try check.duration(needs.time, "needs.time")
        try check.require(
            needs.saturation > 0, "needs.saturation", needs.saturation, "above 0")
        if let maxOutput { try check.count(maxOutput, "maxOutput", in: 1...Int(UInt32.max)) }
        try choice.validate(models.count)
    }

    /// What an answer lacks at this place in a ladder.
    func changes(level: Int) -> ServiceMode.Changes {
        var changes: ServiceMode.Changes = []
        if maxOutput != nil { changes.insert(.shorter) }
        if level > 0 { changes.insert(.lowerRank) }
        if kind == .deferral { changes.insert(.later) }
        return changes
    }
}
