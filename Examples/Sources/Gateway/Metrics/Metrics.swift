import CostLedger
import Spillway
import SpillwayHTTPClient
import Synchronization

/// Counts what the gateway does.
final class Metrics: Sendable {
    /// The bounds of the histogram's buckets, in seconds.
    static let bounds = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    /// The labels of a request.
    struct Request: Hashable, Sendable {
        let model: String
        let outcome: String
        let reason: String
    }

    /// The labels of an attempt.
    struct Attempt: Hashable, Sendable {
        let upstream: String
        let cause: String
    }

    /// The labels of tokens.
    struct Tokens: Hashable, Sendable {
        let upstream: String
        let model: String
        let kind: String
        /// Who counted them.
        let source: String
    }

    /// The labels of money.
    struct Spend: Hashable, Sendable {
        let upstream: String
        let model: String
        /// Who counted what it was for.
        let source: String
    }

    /// The labels of a call that ended in a tier.
    struct TierCall: Hashable, Sendable {
        let model: String
        let tier: String
        let outcome: String
    }

    /// The labels of a step past a tier.
    struct TierStep: Hashable, Sendable {
        let model: String
        let tier: String
        let reason: String
    }

    /// The labels of a change of the tier at which calls begin.
    struct ModeChange: Hashable, Sendable {
        let model: String
        let from: String
        let to: String
    }

    /// The labels of a turn of a conversation.
    struct Turn: Hashable, Sendable {
        let upstream: String
        /// `began`, `stayed` or `moved`.
        let result: String
    }

    /// All counts at one time.
    struct Snapshot: Sendable {
        var requests: [Request: Int] = [:]
        var attempts: [Attempt: Int] = [:]
        /// Attempts without a call, by upstream: nobody took them, or what they hold could not be stored.
        var uncalled: [String: Int] = [:]
        var tokens: [Tokens: Int] = [:]
        var spend: [Spend: Money] = [:]
        /// Calls that the ledger refused or cut, by reason.
        var unpaid: [String: Int] = [:]
        var tierCalls: [TierCall: Int] = [:]
        var tierSteps: [TierStep: Int] = [:]
        var modeChanges: [ModeChange: Int] = [:]
        var turns: [Turn: Int] = [:]
        /// By what was tried, `read` or `write`.
        var sessionFailures: [String: Int] = [:]
        var inFlight = 0
        /// Streams by the first bound that their time to the commit point does not exceed; the last is for those above all
        /// bounds.
        var firstContent = [Int](repeating: 0, count: Metrics.bounds.count + 1)
        var firstContentSeconds = 0.0
    }

    private let state = Mutex(Snapshot())

    /// The counts.
    var snapshot: Snapshot { state.withLock { $0 } }

    /// A request goes to the upstreams.
    func began() {
        state.withLock { $0.inFlight += 1 }
    }

    /// A request that went to the upstreams has ended.
    func ended(_ route: Route, _ report: CallReport) {
        let outcome = report.ending == .completed ? "ok" : report.ending == .cancelled ? "cancelled" : "error"
        state.withLock { state in
            state.inFlight -= 1
            state.requests[Request(model: route.name, outcome: outcome, reason: "\(report.ending)"), default: 0] += 1
            if let mode = report.mode {
                state.tierCalls[TierCall(model: route.name, tier: mode.tier, outcome: outcome), default: 0] += 1
            }
            for step in report.steps {
                state.tierSteps[
                    TierStep(model: route.name, tier: step.tier, reason: "\(step.reason)"), default: 0] += 1
            }
            for attempt in report.attempts {
                guard let place = attempt.target.flatMap({ route.places[$0] }) else { continue }
                guard attempt.outcome.cause != .rejected else {
                    state.uncalled[place.upstream.name, default: 0] += 1
                    continue
                }
                let labels = Attempt(upstream: place.upstream.name, cause: "\(attempt.outcome.cause)")
                state.attempts[labels, default: 0] += 1
            }
        }
    }

    /// A ladder begins at another tier from now on.
    func changed(_ transition: Transition) {
        let labels = ModeChange(model: "\(transition.gate)", from: "\(transition.from)", to: "\(transition.to)")
        state.withLock { $0.modeChanges[labels, default: 0] += 1 }
    }

    /// An attempt took `usage`.
    ///
    /// The label is the model as the file has it: clients can make up any number of names.
    func took(_ usage: Usage, at place: Route.Place) {
        let source = "\(usage.source)"
        state.withLock { state in
            for (kind, count) in [("input", usage.promptTokens), ("output", usage.answerTokens)] {
                let labels = Tokens(upstream: place.upstream.name, model: place.model, kind: kind, source: source)
                let (sum, overflow) = state.tokens[labels, default: 0].addingReportingOverflow(max(0, count))
                state.tokens[labels] = overflow ? .max : sum
            }
        }
    }

    /// An attempt has cost what a posting says.
    ///
    /// The labels are of the file's making alone: clients can make up any number of tenants' users and sessions.
    func spent(_ posting: Posting) {
        func name(_ kind: Scope.Kind) -> String { posting.scopes.first { $0.kind == kind }?.name ?? "" }
        let labels = Spend(upstream: name(.provider), model: name(.model), source: "\(posting.source)")
        state.withLock { $0.spend[labels, default: .zero] += posting.cost }
    }

    /// A replica has answered in a conversation.
    func turned(_ upstream: String, _ result: String) {
        state.withLock { $0.turns[Turn(upstream: upstream, result: result), default: 0] += 1 }
    }

    /// A session could not be read or written.
    func sessionStoreFailed(_ operation: String) {
        state.withLock { $0.sessionFailures[operation, default: 0] += 1 }
    }

    /// The ledger refused a call, or stopped its answer.
    func refusedByLedger(_ reason: String) {
        state.withLock { $0.unpaid[reason, default: 0] += 1 }
    }

    /// A request was refused before any upstream was asked.
    ///
    /// - Parameter model: The route's name; empty when there is none, because clients can make up any number of names.
    func refused(_ model: String = "", _ reason: String) {
        state.withLock { $0.requests[Request(model: model, outcome: "refused", reason: reason), default: 0] += 1 }
    }

    /// The first content of a stream is passed on `wait` after the request: it has come to its commit point.
    ///
    /// Whole answers do not count: they have no such point, and their times are others.
    func firstContent(after wait: Duration) {
        let seconds = wait / .seconds(1)
        state.withLock { state in
            state.firstContent[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
            state.firstContentSeconds += seconds
        }
    }
}
