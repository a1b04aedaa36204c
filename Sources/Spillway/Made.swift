public import SpillwayCore

/// What came of an attempt, or of several beside each other.
@usableFromInline
struct Made<Success, Failure: Error>: Error {
    @usableFromInline let result: Result<Success, Failure>
    @usableFromInline let outcome: Outcome
    /// The limit that the attempt met; nil: none.
    @usableFromInline let limit: TimeLimit?

    @usableFromInline
    init(_ result: Result<Success, Failure>, _ outcome: Outcome, limit: TimeLimit? = nil) {
        self.result = result
        self.outcome = outcome
        self.limit = limit
    }
}

extension Made: @unchecked Sendable where Success: Sendable {}

extension Made {
    /// What the operation threw; nil when it returned.
    @usableFromInline
    var failure: Failure? {
        if case .failure(let failure) = result { failure } else { nil }
    }

    /// What the call comes to when `reason` forbids another attempt.
    @usableFromInline
    func ended(_ reason: Reason, attempts: Int) throws(PolicyError<Failure>) -> Success {
        if let limit { throw .timedOut(limit, last: failure) }
        switch result {
        case .success(let value): return value
        case .failure(let failure): throw PolicyError(reason, attempts: attempts, failure)
        }
    }
}
