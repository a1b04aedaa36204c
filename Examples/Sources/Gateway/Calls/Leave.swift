import HTTPTypes
import NIOHTTP1
import Spillway

/// What the caller of one request allows: until when, and how many attempts beyond the first.
///
/// It comes in headers, and what is left of it goes out in the same ones, so that one bound holds through any number of
/// services. Without headers there is no bound but the gateway's own.
struct Leave: Sendable {
    /// Milliseconds until the caller stops waiting.
    static let deadline = "x-spillway-deadline-ms"
    /// Attempts beyond the first that the call may still take.
    static let allowance = "x-spillway-attempts-left"
    /// Attempts beyond the first that a call has taken.
    static let spent = "x-spillway-spent"
    /// The most attempts that a header may allow.
    private static let most = 1_000

    private let allowance: Allowance?
    private let end: Instant?

    /// What the headers of a request allow; those that make no sense allow what others do.
    init(_ headers: HTTPFields, at now: Instant = SystemTime().now) {
        func number(_ name: String, upTo most: Int) -> Int? {
            guard let text = headers[.init(name)!], let value = Int(text), value >= 0 else { return nil }
            return min(value, most)
        }
        end = number(Self.deadline, upTo: 86_400_000).map { now.advanced(by: .milliseconds($0)) }
        allowance = number(Self.allowance, upTo: Self.most).map { Allowance($0) }
    }

    /// Makes a call within what is allowed.
    func reported<Success: Sendable, Failure: Error>(
        _ policy: Policy, _ call: Call, _ operation: @Sendable (Attempt) async throws(Failure) -> Success
    ) async -> (result: Result<Success, PolicyError<Failure>>, report: CallReport) {
        let budgets = allowance.map { BudgetChain.none.adding($0) } ?? .none
        return await CallContext.$current.withValue(CallContext(deadline: end, budgets: budgets)) {
            await policy.reported(call, operation)
        }
    }

    /// Writes what is left for an attempt that is about to be made.
    ///
    /// - Returns: How many attempts of its own the upstream may make; they are lent to it until ``settle(_:lent:)``.
    func tell(_ headers: inout HTTPHeaders, at now: Instant = SystemTime().now) -> Int {
        if let end = CallContext.current?.deadline ?? end {
            let left = max(.zero, now.duration(to: end))
            headers.replaceOrAdd(name: Self.deadline, value: "\(Int64(left / .milliseconds(1)))")
        }
        guard let allowance else { return 0 }
        let lent = allowance.lend()
        headers.replaceOrAdd(name: Self.allowance, value: "\(lent)")
        return lent
    }

    /// Takes back what an upstream that was lent so many attempts has not spent.
    ///
    /// What was lent to one that never answers stays spent: nobody knows what it did.
    func settle(_ headers: HTTPHeaders, lent: Int) {
        let spent = headers.first(name: Self.spent).flatMap { Int($0) } ?? 0
        allowance?.takeBack(lent, spent: min(max(0, spent), Self.most))
    }

    /// Attempts beyond the first, here and at the upstreams.
    func spent(attempts: Int) -> Int { max(0, attempts - 1) + (allowance?.spentElsewhere ?? 0) }

    /// Attempts beyond the first, here and at the upstreams, of a call that has ended.
    func spent(_ report: CallReport) -> Int { spent(attempts: report.attempts.count) }
}
