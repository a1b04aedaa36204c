import Spillway
import SpillwayHTTPClient

extension UpstreamError {
    /// A limit on time was met while `what` was waited for.
    static func timedOut(_ what: String, countsAgainstUpstream: Bool) -> UpstreamError {
        UpstreamError(
            "\(what) did not come in time", countsAgainstUpstream ? .failure(.timeout) : .neutral(.timeout))
    }

    /// An error in the middle of a stream; `body` is the whole event.
    static func inBand(_ error: Any, body: [UInt8]) -> UpstreamError {
        let fields = error as? [String: Any] ?? [:]
        let code = fields["code"] as? Int ?? 0
        let isLimit = "\(fields["type"] ?? "") \(fields["code"] ?? "")".contains("rate_limit")
        let status = (400...599).contains(code) ? code : isLimit ? 429 : 500
        let message = fields["message"] as? String ?? "\(error)"
        return UpstreamError(
            message, HTTPAnswer(status: status, body: body).outcome(now: 0), status: status, body: body,
            contentType: "application/json")
    }

    /// The same failure once something has been passed on to the client: it cannot be tried again, and it speaks against
    /// the upstream only if it did before.
    var afterCommit: UpstreamError {
        let outcome: Outcome = outcome.verdict == .failure ? .failure(.truncated) : .neutral(.truncated)
        return UpstreamError(
            message, outcome, status: status, body: body, contentType: contentType, underlying: underlying)
    }
}
