public import SpillwayCore

extension ExactCache {
    /// The answer to a request: the one that is kept while it is fresh, else one that `make` makes.
    ///
    /// Of several calls for one request at the same time, one makes the answer in its own task, and the others wait without a
    /// thread. When it fails, all of them fail with what it failed with; but where the failure concerned that caller alone (it was
    /// cancelled, its own deadline passed, its own gates refused, its own key or purse was empty), the next one tries. Of those
    /// that wait, one that is cancelled leaves at once and disturbs nobody.
    ///
    /// When `make` fails by a cause that speaks against the target, or one of ``Configuration/staleCauses``, an answer that is too
    /// old is given, within ``Configuration/staleIfError``, marked as ``CacheOrigin/stale``.
    ///
    /// - Parameters:
    ///   - key: The request.
    ///   - classifier: Says what an error tells of the target.
    ///   - time: Where the time comes from; the machine by default.
    ///   - make: Makes the answer. It must not ask this cache for the same request: it would wait for itself.
    /// - Throws: What `make` throws, here or in the call that was waited for; `CancellationError` when the task is cancelled
    ///   while it waits.
    public func value(
        for key: CacheKey, classifier: Classifier = .standard, time: any TimeSource = .system,
        orMake make: () async throws -> Value
    ) async throws -> CachedAnswer<Value> {
        if let kept = lookup(key, at: time.now) { return kept }
        switch await flights.join(key) {
        case .landed(let value): return CachedAnswer(value, .joined)
        case .cancelled: throw CancellationError()
        case .failed(let error): return try stale(key, error, classifier(error), time)
        case .leads: break
        }
        // Another flight may have ended between the look and this one.
        if let kept = lookAgain(key, at: time.now, allowingStale: false) {
            flights.end(key, .landed(kept.value))
            return kept
        }
        do {
            let value = try await make()
            store(value, for: key, at: time.now)
            flights.end(key, .landed(value))
            return CachedAnswer(value, .made)
        } catch {
            let outcome = Task.isCancelled ? .neutral(.cancelled) : classifier(error)
            if outcome.isOfCallerAlone { flights.passOn(key) } else { flights.end(key, .failed(error)) }
            return try stale(key, error, outcome, time)
        }
    }

    private func stale(
        _ key: CacheKey, _ error: any Error, _ outcome: Outcome, _ time: any TimeSource
    ) throws -> CachedAnswer<Value> {
        let cause = outcome.cause
        let isDown =
            outcome.verdict == .failure || cause.speaksAgainstTarget || configuration.staleCauses.contains(cause)
        if isDown, let kept = lookAgain(key, at: time.now, allowingStale: true) { return kept }
        throw error
    }
}

extension Outcome {
    /// Whether a failure says nothing of how the same request would go for another caller.
    fileprivate var isOfCallerAlone: Bool {
        guard verdict == .neutral else { return false }
        switch cause {
        case .cancelled, .rejected, .timeout, .authentication, .quotaExhausted, .spendLimit: return true
        default: return false
        }
    }
}
