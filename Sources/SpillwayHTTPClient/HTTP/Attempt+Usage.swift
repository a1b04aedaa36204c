#if HTTPClientSupport
public import Spillway

extension UpstreamError {
    /// Whether the target bills nothing for it: it was not reached, or it answered with an error's status.
    public var isUnbilled: Bool {
        // 502 and 504 come from something between, which does not know how far the target got.
        if let status { return status >= 400 && ![502, 504].contains(status) }
        return [.connect, .invalidRequest].contains(outcome.cause)
    }
}

extension Attempt {
    /// Says what an attempt at a whole answer used that failed with `error`, for gates that count tokens or money.
    ///
    /// Nothing when the target answered with an error's status. What is thought of the call when something between answered in
    /// its place, which does not know how far the target got. Of other failures it says nothing, so that gates take what they
    /// held, unless the target was not reached: some providers bill a whole answer after the caller has gone.
    public func failed(with error: UpstreamError) {
        guard let status = error.status else { return }
        if error.isUnbilled {
            used(Usage(requests: 0))
        } else if status >= 400 {
            used(Usage(estimatedFor: call.tokens))
        }
    }
}
#endif
