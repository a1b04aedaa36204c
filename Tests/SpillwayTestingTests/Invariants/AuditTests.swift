import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct AuditTests {
    /// A report of a call whose attempts began at `attempts`.
    private func report(_ attempts: Double..., until end: Double? = nil, policy: String = "test") -> CallReport {
        let records = attempts.map { start in
            CallReport.AttemptRecord(
                target: nil, number: 1, started: at(start), ended: at(start), outcome: .failure(.timeout))
        }
        return CallReport(
            policy: policy, started: at(attempts[0]), ended: at(end ?? attempts.last!), ending: .completed,
            waited: .zero, attempts: records, rejections: [])
    }

    @Test func attemptsWithinTheBudgetAreRight() throws {
        let audit = Audit()
        try audit.limitAttempts(ratio: 0.5, burst: 1, minimumPerSecond: 0.25)
        audit.ended(report(1, 1))  // the burst; 0.5 left
        audit.ended(report(2, 2))  // paid by two calls
        audit.ended(report(2, 6))  // half a call, and 5 s
        try audit.check()
    }

    @Test func anAttemptThatWasNotPaidForIsFound() throws {
        let audit = Audit()
        try audit.limitAttempts(ratio: 0.5, burst: 1)
        audit.ended(report(1, 1, 3))
        #expect(
            throws: Violation(
                .attempts, "2 extra attempts by 3.0 seconds for 1 calls, at most 1.5 allowed")
        ) { try audit.check() }
    }

    @Test func callsThatCameLaterPayForNothing() throws {
        let reports = [report(1, 1, 1)] + (0..<9).map { _ in report(5) }
        for timeMayGoBack in [false, true] {
            let audit = Audit(timeMayGoBack: timeMayGoBack)
            try audit.limitAttempts(ratio: 0.5, burst: 1, policies: ["test"])
            for report in reports { audit.ended(report) }
            // Under a clock that goes back, what came later is not known.
            #expect(audit.violations.isEmpty == timeMayGoBack)
            audit.ended(report(1, 1, 1, 1, 1, 1, policy: "other"))
            #expect(audit.violations.isEmpty == timeMayGoBack)
        }
    }

    @Test func aCallThatOutlivesItsDeadlineIsFound() throws {
        let audit = Audit()
        try audit.limitTime(deadline: .seconds(5), grace: .seconds(1))
        audit.ended(report(1, until: 7))
        try audit.check()
        audit.ended(report(1, until: 7.001))
        #expect(audit.violations.map(\.invariant) == [.deadline])
    }

    private func change(_ from: String, _ to: String, _ time: Double) -> Transition {
        Transition(gate: "breaker", from: from, to: to, at: at(time))
    }

    @Test func transitionsOfABreakerAreRight() throws {
        let audit = Audit()
        audit.changed(change("closed", "open", 1))
        audit.changed(change("open", "half_open", 2))
        audit.changed(change("half_open", "open", 2))
        audit.changed(change("open", "half_open", 3))
        audit.changed(change("half_open", "closed", 4))
        try audit.check()
    }

    @Test(arguments: [
        ("closed", "half_open", 2.0, " is no legal change"), ("open", "half_open", 2, ", but the gate was closed"),
        ("closed", "isolated", 2, " is no legal change"), ("closed", "open", 0.5, ", after a change at 1.0 seconds"),
    ])
    func anIllegalTransitionIsFound(from: String, to: String, time: Double, complaint: String) throws {
        let audit = Audit()
        for (from, to) in [("closed", "open"), ("open", "half_open"), ("half_open", "closed")] {
            audit.changed(change(from, to, 1))
        }
        audit.changed(change(from, to, time))
        #expect(audit.violations.map(\.invariant) == [.transitions])
        #expect(audit.violations[0].detail == "breaker: \(from) → \(to) at \(at(time))\(complaint)")
    }

    @Test func otherRulesCanBeStated() throws {
        let audit = Audit(timeMayGoBack: true)
        audit.limitTransitions(of: "breaker", to: .breakerByHand)
        audit.changed(change("closed", "isolated", 2))
        audit.changed(change("isolated", "disabled", 1))
        try audit.check()
        audit.changed(change("disabled", "open", 3))
        #expect(audit.violations.count == 1)
    }

    @Test func aPolicyWithoutABudgetIsCaught() async throws {
        for budget in [try RetryBudget("budget", .init(ratio: 0.2, burst: 3, minimumPerSecond: 0)), .unlimited] {
            let audit = Audit()
            try audit.limitAttempts(ratio: 0.2, burst: 3)
            let policy = try Policy("test", observer: audit, time: ManualTime()) { () throws(ConfigurationError) in
                try Retry(upTo: 3, backoff: .none, budget: budget)
            }
            for _ in 0..<20 {
                _ = try? await policy.run(Call(idempotency: .idempotent)) { _ in throw Rejected() }
            }
            #expect(audit.reports.count == 20)
            #expect(audit.violations.isEmpty == (budget !== RetryBudget.unlimited))
        }
    }

    private struct Rejected: OutcomeError { let outcome = Outcome.failure(.overloaded) }

    @Test func numbersThatCannotWorkAreRefused() {
        let audit = Audit()
        #expect(throws: ConfigurationError.self) { try audit.limitAttempts(ratio: -1, burst: 0) }
        #expect(throws: ConfigurationError.self) { try audit.limitAttempts(ratio: .nan, burst: 0) }
        #expect(throws: ConfigurationError.self) { try audit.limitAttempts(ratio: 1, burst: -1) }
        #expect(throws: ConfigurationError.self) { try audit.limitTime(deadline: .seconds(-1)) }
    }

    @Test func itKeepsNoGateWhoseObserverItIs() throws {
        weak var kept: Audit?
        weak var gate: CircuitBreaker?
        do {
            let audit = Audit()
            let breaker = try CircuitBreaker("breaker", observer: audit)
            try audit.gate(breaker).admit(Call(), at: at(1)).settle(.success, at: at(1))
            try audit.check()
            (kept, gate) = (audit, breaker)
            #expect(kept != nil && gate != nil)
        }
        #expect(kept == nil && gate == nil)
    }
}
