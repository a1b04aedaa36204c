#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOHTTP1
internal import Spillway

extension PolicyHTTPClient {
    /// Writes into a request what its service is to know of the call around it.
    ///
    /// - Returns: What the service is lent; nil when there is nothing to lend, or nothing is told.
    func propagate(_ attempt: Attempt, in request: inout HTTPClientRequest) -> Loan? {
        guard propagates else { return nil }
        let now = time.now
        var context = CallContext.current ?? CallContext()
        // By this client's own clock: the policy's may be another.
        if let remaining = attempt.remaining { context.deadline = now.advanced(by: remaining) }
        let half = (context.budgets.allowance?.remaining ?? 0) / 2
        let loan = context.budgets.lend(atMost: lendsAtMost ?? half)
        for (name, value) in context.headers(at: now, loan: loan) {
            request.headers.replaceOrAdd(name: name, value: value)
        }
        return loan
    }
}

extension Loan {
    /// Puts back what the service that answered did not spend.
    func settle(_ answer: HTTPClientResponse) {
        settle(spentHeader: answer.headers.first(name: CallContext.spentHeader))
    }

    /// Puts everything back if `failure` says that the request never went out.
    func settle(_ failure: UpstreamError) {
        if [.connect, .invalidRequest].contains(failure.outcome.cause) { cancel() }
    }
}
#endif
