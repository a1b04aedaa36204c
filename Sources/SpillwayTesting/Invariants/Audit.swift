public import SpillwayCore

/// Watches gates and policies, and says which of their promises were broken.
///
/// Make it the observer of the policies and breakers, put its gates in place of yours, state the bounds, run, and ask:
///
/// ```swift
/// let audit = Audit()
/// try audit.limitAttempts(ratio: 0.2, burst: 10, minimumPerSecond: 0.5)
/// try audit.limitTime(deadline: .seconds(30), grace: .seconds(5))
/// let bucket = audit.gate(tokenBucket, meter: try RateMeter(units: 50, per: .seconds(1), burst: 100))
/// // … run calls through a policy with this bucket and `observer: audit` …
/// try audit.check()
/// ```
///
/// Ask when every call has ended: a permit that is still out counts as lost, and a call that still runs has sent no report.
/// Transitions are checked without being asked for, by the rules of a circuit breaker.
///
/// It knows what it is shown: a policy whose observer it is not sends it no reports, and a gate that settles its permits but
/// keeps what they stood for to itself has kept its promise.
///
/// All it sees is kept until it goes away, so use one for each run. It keeps no gate, so it may be the observer of those it
/// audits.
public final class Audit: Observer {
    private struct Contents {
        var transitions: [String: [Transition]] = [:]
        var reports: [CallReport] = []
        var ledgers: [PermitLedger] = []
        var rules: [String: TransitionRules] = [:]
        var attempts: [AttemptBound] = []
        var times: [TimeBound] = []
    }

    private let timeMayGoBack: Bool
    private let contents = Locked(Contents())

    /// An audit that has seen nothing yet.
    ///
    /// - Parameter timeMayGoBack: When true, only what holds under a clock that goes back is checked: attempts over the
    ///   whole run and not at each instant, and transitions without their time. False by default. Set it too when threads
    ///   race on a real clock, where a time may be read before another and used after it.
    public init(timeMayGoBack: Bool = false) {
        self.timeMayGoBack = timeMayGoBack
    }

    /// A gate around `gate` whose permits are counted: each must be settled exactly once.
    ///
    /// - Parameters:
    ///   - gate: The gate that decides.
    ///   - meter: The most that it may let pass, as an unused meter; nil, the default: not checked.
    ///   - perKey: Whether the meter is meant for each `Call.key`; false by default.
    ///   - cost: What a call takes, in the meter's units; 1 by default.
    public func gate(
        _ gate: any Gate, meter: RateMeter? = nil, perKey: Bool = false,
        cost: @escaping @Sendable (Call) -> UInt32 = { _ in 1 }
    ) -> AuditedGate {
        let audited = AuditedGate(gate, meter.map { .init(meter: $0, perKey: perKey, cost: cost) })
        contents.withLock { $0.ledgers.append(audited.ledger) }
        return audited
    }

    /// States that calls make at most `burst + ratio × calls + minimumPerSecond × seconds` extra attempts.
    ///
    /// That is what a budget of these numbers that was full at the first call can have paid for, and it is checked at the
    /// instant of every extra attempt, counting the calls and the seconds until then. A clock that goes back by more than
    /// two hours fills a budget again and is not allowed for.
    ///
    /// - Parameters:
    ///   - ratio: Extra attempts per call, from 0 to 10.
    ///   - burst: Extra attempts that the budget began with, from 0 to 100,000.
    ///   - minimumPerSecond: How fast the burst fills again, from 0 to 10,000; 0 by default.
    ///   - policies: The policies that share the budget; nil, the default: all.
    /// - Throws: `ConfigurationError` for other numbers.
    public func limitAttempts(
        ratio: Double, burst: Int, minimumPerSecond: Double = 0, policies: Set<String>? = nil
    ) throws(ConfigurationError) {
        let check = Validation("Audit")
        try check.number(ratio, "ratio", in: 0...10)
        try check.count(burst, "burst", in: 0...100_000)
        try check.number(minimumPerSecond, "minimumPerSecond", in: 0...10_000)
        let bound = AttemptBound(ratio: ratio, burst: burst, minimumPerSecond: minimumPerSecond, policies: policies)
        contents.withLock { $0.attempts.append(bound) }
    }

    /// States that no call takes longer than `deadline` and `grace` together.
    ///
    /// - Parameters:
    ///   - deadline: The deadline of the policies, up to 10 years.
    ///   - grace: What an attempt may take to end after it, and by what clocks may jump forward; zero by default.
    ///   - policies: The policies with that deadline; nil, the default: all.
    /// - Throws: `ConfigurationError` for a negative or too long time.
    public func limitTime(
        deadline: Duration, grace: Duration = .zero, policies: Set<String>? = nil
    ) throws(ConfigurationError) {
        let check = Validation("Audit")
        try check.duration(deadline, "deadline")
        try check.duration(grace, "grace")
        contents.withLock { $0.times.append(TimeBound(deadline: deadline, grace: grace, policies: policies)) }
    }

    /// States which changes the gate called `name` may make, instead of those of ``TransitionRules/breaker``.
    public func limitTransitions(of name: String, to rules: TransitionRules) {
        contents.withLock { $0.rules[name] = rules }
    }

    /// Remembers a change of state.
    public func changed(_ transition: Transition) {
        contents.withLock { $0.transitions[transition.gate, default: []].append(transition) }
    }

    /// Remembers the report of a call.
    public func ended(_ report: CallReport) { contents.withLock { $0.reports.append(report) } }

    /// Reports of calls, in the order in which they ended.
    public var reports: [CallReport] { contents.withLock { $0.reports } }

    /// All broken promises: attempts, calls that took too long, transitions, then gates in the order of their audit.
    public var violations: [Violation] {
        let seen = contents.withLock { contents in
            (
                contents.attempts, contents.times, contents.transitions.sorted { $0.key < $1.key }, contents.rules,
                contents.ledgers, contents.reports
            )
        }
        let (attempts, times, transitions, rules, ledgers, reports) = seen
        return attempts.compactMap { $0.violation(in: reports, timeMayGoBack: timeMayGoBack) }
            + times.flatMap { $0.violations(in: reports) }
            + transitions.flatMap { name, changes in
                (rules[name] ?? .breaker).violations(in: changes, timeMayGoBack: timeMayGoBack)
            }
            + ledgers.flatMap(\.violations)
    }

    /// Nothing, when every promise was kept.
    ///
    /// - Throws: The first ``Violation``.
    public func check() throws(Violation) {
        if let violation = violations.first { throw violation }
    }
}
