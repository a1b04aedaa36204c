import Hummingbird
import NIOCore
import Spillway
import SpillwayHTTPClient

extension APIError {
    /// What a client is told of a call that failed: the upstream's last error where there is one.
    init(_ error: PolicyError<UpstreamError>) {
        switch (error, error.underlying) {
        case (_, let last?):
            self.init(last)
        case (.rejected(let rejection, _), _):
            self.init(rejection, .serviceUnavailable)
        case (.cancelled, _):
            self.init(.init(code: 499), "The client went away", type: "cancelled", code: "cancelled")
        default:
            self.init(.gatewayTimeout, "No upstream answered in time", type: "timeout", code: "deadline_exceeded")
        }
    }

    /// A gate's refusal.
    init(_ rejection: Rejection, _ status: HTTPResponse.Status) {
        self.init(
            status, "Not possible now: \(rejection.reason)", type: "overloaded_error", code: "\(rejection.reason)")
        headers[.retryAfter] = Self.seconds(rejection.retryAfter ?? .seconds(1))
    }

    private init(_ error: UpstreamError) {
        let cause = error.outcome.cause
        if cause == .authentication {
            // The key is the gateway's own: what the provider says of it is not for the client.
            self.init(
                .badGateway, "The upstream refused the gateway's key", type: "upstream_error", code: "\(cause)")
            return
        }
        let status = error.status ?? (cause == .timeout ? 504 : cause == .invalidRequest ? 400 : 502)
        self.init(
            .init(code: status), upstream: ByteBuffer(bytes: error.body), message: error.message, code: "\(cause)")
        if let wait = error.outcome.retryAfter { headers[.retryAfter] = Self.seconds(wait) }
    }

    /// Whole seconds, rounded up.
    private static func seconds(_ wait: Duration) -> String {
        let (seconds, rest) = wait.components
        return "\(rest > 0 ? seconds + 1 : seconds)"
    }
}
