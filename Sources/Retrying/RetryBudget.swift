public import SpillwayCore

/// Bounds extra attempts by the number of calls: every call pays a little in, every retry takes one out.
///
/// Since it was made, at most `burst + ratio × calls + minimumPerSecond × seconds` attempts are withdrawn, by however many
/// callers at once; over a later span, also what calls shortly before it have paid in (see ``Configuration/window``). Share
/// one budget among all policies that multiply attempts towards the same target.
/// A budget is also a gate: admitting withdraws, and voiding the permit puts back. The idea is Finagle's `RetryBudget`.
public final class RetryBudget: BuiltInGate, AttemptBudget {
    /// How much extra work there may be.
    public struct Configuration: Sendable, Hashable {
        /// Extra attempts per call in the long run, from 0 to 10; 0.2 by default.
        public var ratio = 0.2
        /// Extra attempts that can be made at once after a quiet time, from 0 to 100,000; 10 by default.
        public var burst = 10
        /// How fast the burst fills again without calls, in attempts a second, from 0 to 10,000; 0.5 by default.
        public var minimumPerSecond = 0.5
        /// How long what calls have paid in stays, beyond the burst: it falls by half in 0.7 of this time.
        ///
        /// From 1 s to 1 day; 10 s by default.
        public var window: Duration = .seconds(10)

        /// The defaults.
        public init() {}

        /// A budget of `ratio` extra attempts per call.
        public init(
            ratio: Double, burst: Int = 10, minimumPerSecond: Double = 0.5, window: Duration = .seconds(10)
        ) {
            self.ratio = ratio
            self.burst = burst
            self.minimumPerSecond = minimumPerSecond
            self.window = window
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("RetryBudget")
            try check.number(ratio, "ratio", in: 0...10)
            try check.count(burst, "burst", in: 0...100_000)
            try check.number(minimumPerSecond, "minimumPerSecond", in: 0...10_000)
            try check.duration(window, "window", atLeast: .seconds(1))
            try check.require(window <= .seconds(86_400), "window", window, "at most 1 day")
        }
    }

    private static let pool = StatePool<BudgetState>()

    /// What errors, reports and metrics call the budget.
    public let name: String
    private let budget: BudgetState?
    /// What permits and policies point to.
    public var state: GateState { budget ?? UnlimitedState.shared }

    /// A budget that holds its burst.
    ///
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String = "retry-budget", _ configuration: Configuration = Configuration()
    ) throws(ConfigurationError) {
        try Validation("RetryBudget").name(name)
        try configuration.validate()
        self.name = name
        let state = Self.pool.take { BudgetState() }
        state.begin(name, configuration)
        budget = state
    }

    private init(unlimited name: String) {
        self.name = name
        budget = nil
    }

    deinit {
        guard let budget else { return }
        budget.end()
        Self.pool.put(budget)
    }

    /// No bound at all.
    ///
    /// A target that fails is then asked as often as there are attempts: for comparison, not for use.
    public static let unlimited = RetryBudget(unlimited: "unlimited")

    /// Pays in for one call.
    ///
    /// Once a call, not once an attempt.
    public func deposit(at now: Instant) { budget?.deposit(at: now) }

    /// Takes one extra attempt out, before the wait for it; false when there is none left.
    public func withdraw(at now: Instant) -> Bool { budget?.withdraw(at: now) ?? true }

    /// Puts one attempt back that was taken out and not made.
    public func restore() { budget?.restore() }

    /// Extra attempts that could be made at `now`.
    public func balance(at now: Instant) -> Double { budget?.balance(at: now) ?? .infinity }

    /// Takes one extra attempt out, or refuses.
    ///
    /// - Throws: `Rejection` with the reason `budgetExhausted`.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try state.admit(call, at: now)
    }

    /// Changes the configuration and keeps the balance.
    ///
    /// Does nothing to ``unlimited``.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        budget?.update(configuration)
    }
}
