internal import CSpillway
public import SpillwayCore

/// A gate with all limits of one provider's model in one decision: requests, tokens, and calls under way.
///
/// Every limit is asked, and all are charged or none. What a call is estimated to use is held when it is let in; when it is
/// settled with what it really used (`Attempt.used` in a policy), the difference comes back, or what it used beyond is charged, so
/// that later calls wait for it. No more of what was really used, with what is estimated for calls under way, passes a limit than
/// burst + rate × span. What is owed beyond calls under way is at most 4 bursts, whatever a call says that it used.
///
/// What the provider's answers say corrects it: see ``learn(_:sent:at:)``. Limits that are not configured begin with the first
/// answer that names them.
public final class Quota: BuiltInGate {
    private static let pool = StatePool<QuotaState>()

    /// What errors, reports and metrics call the quota; a limit's rejections are called `name tokens` and so on.
    public let name: String
    private let quota: QuotaState
    /// What permits and policies point to.
    public var state: GateState { quota }

    /// A quota of which nothing is used.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes, such as `openai/gpt-4o`.
    ///   - configuration: The limits; by default none, so that all are learnt.
    ///   - observer: Told of what a quota in shadow mode would have refused; nobody by default.
    ///   - now: When it begins; the machine's time by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), observer: (any Observer)? = nil,
        at now: Instant = SystemTime().now
    ) throws(ConfigurationError) {
        try Validation("Quota").name(name)
        try configuration.validate()
        self.name = name
        quota = Self.pool.take { QuotaState() }
        quota.begin(name, configuration, observer, at: now)
    }

    deinit {
        quota.end()
        Self.pool.put(quota)
    }

    /// Holds what the call is estimated to use under every limit, or refuses and says when to come back.
    ///
    /// A call of more than a limit holds never passes, unless that size was learnt from answers, which may be wrong: then a
    /// call of at most the configured size, or of any where none is configured, passes once nothing is owed.
    ///
    /// The rejection bears the name of the limit that refused, the one with the longest wait. Its reason is `rateLimited`,
    /// `quotaExhausted` (a limit per day, or the provider said so), `exceedsBurst`, `concurrencyLimited` or `keyRetired`.
    ///
    /// - Throws: `Rejection`; then nothing was taken.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try quota.admit(call, at: now)
    }

    /// Corrects the limits by what an answer says.
    ///
    /// What each kind of answer does, `ProviderSignals.Kind` says. Headers say how much was left when the provider looked, so what was let
    /// in since the answer's request was sent is counted on top: give `sent`. An answer that is older than one that was heard already
    /// says nothing. One answer alone moves a rate or a limit little: of the last five, the middle one counts. A quota never
    /// refuses because of headers for longer than it takes to fill, because of a pause that was asked for never longer than
    /// ``Configuration/longestPause``, and it recovers by itself.
    ///
    /// - Parameters:
    ///   - signals: What the answer says.
    ///   - sent: When its request was sent, such as `attempt.started`; nil: just now.
    ///   - now: When the answer came.
    public func learn(_ signals: ProviderSignals, sent: Instant? = nil, at now: Instant) {
        quota.learn(signals, sent: sent, at: now)
    }

    /// How each limit stands, those that are neither configured nor learnt left out.
    public func standing(at now: Instant) -> [Standing] { quota.standing(at: now) }

    /// Calls under way.
    public var callsUnderWay: Int { quota.callsUnderWay }

    /// How many fields of answers could not be read, and how many answers were older than one that was heard already.
    public var ignored: (unreadable: Int, outdated: Int) { quota.ignored }

    /// Whether the provider has refused the key; then every call is refused until ``reinstate()``.
    public var isRetired: Bool { quota.isRetired }

    /// Uses the key again, and forgets all pauses that the provider asked for.
    ///
    /// What calls have used stays used, and what is owed stays owed.
    public func reinstate() { quota.reinstate() }

    /// The configuration in force.
    public var configuration: Configuration { quota.configuration }

    /// Changes the configuration; what was used stays used, and calls under way stay held.
    ///
    /// A limit that is the same as before keeps what was learnt of it.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration, at now: Instant) throws(ConfigurationError) {
        try configuration.validate()
        quota.update(configuration, at: now)
    }

    /// What is limited.
    public enum Dimension: Int, Sendable, Hashable, CaseIterable, CustomStringConvertible {
        /// Requests.
        case requests
        /// Requests over a longer span, such as a day.
        case requestsPerDay
        /// Tokens of prompt and answer together.
        case tokens
        /// Tokens of prompt and answer together, over a longer span, such as a day.
        case tokensPerDay
        /// Tokens of prompts.
        case inputTokens
        /// Tokens of answers.
        case outputTokens
        /// Calls under way at one time.
        case concurrency

        /// As in the names of rejections, such as `tokens per day`.
        public var description: String {
            switch self {
            case .requests: "requests"
            case .requestsPerDay: "requests per day"
            case .tokens: "tokens"
            case .tokensPerDay: "tokens per day"
            case .inputTokens: "input tokens"
            case .outputTokens: "output tokens"
            case .concurrency: "calls under way"
            }
        }
    }

    /// How one limit stands.
    public struct Standing: Sendable, Hashable {
        /// What is limited.
        public let dimension: Dimension
        /// The most that it holds.
        public let limit: Int
        /// What could be taken now; below 0: what is owed beyond the limit.
        public let remaining: Int
        /// What calls under way hold.
        public let held: Int
        /// When it will be full again if nothing more is taken.
        public let resetsAt: Instant
        /// Units that come in a second; of calls under way 0.
        public let perSecond: Double
    }
}
