import Hummingbird
import NIOCore
import Spillway
import SpillwayHTTPClient

extension APIError {
    /// What a client is told of a call that failed: the upstream's last error where there is one.
    init(_ error: PolicyError<UpstreamError>) {
        self.init(error, seen: error.underlying)
    }

    /// What a client is told of a call that failed, of which `last` is the upstream's error that matters.
    init(_ error: PolicyError<UpstreamError>, seen last: UpstreamError?) {
        switch error {
        case .cancelled: self.init(.init(code: 499), "The client went away", type: "cancelled", code: "cancelled")
        case .timedOut(let limit, let own)
        where limit != .deadline || own.map { Self.isSilence($0.outcome.cause) } ?? true:
            // That it was cancelled says less than why.
            let message = last.flatMap { $0.outcome.cause == .cancelled ? nil : $0.message }
            self.init(
                .gatewayTimeout, message ?? "no upstream answered in time", type: "timeout", code: "\(limit.reason)")
        case .rejected(let rejection, _) where last == nil: self.init(rejection, .serviceUnavailable)
        default:
            if let rejection = last?.rejection {
                self.init(rejection, .serviceUnavailable)
            } else if let last {
                self.init(last)
            } else {
                self.init(.badGateway, "\(error)", type: "upstream_error")
            }
        }
    }

    /// What an attempt fails with when it is cancelled because of a limit, and says less than the limit.
    private static func isSilence(_ cause: Outcome.Cause) -> Bool {
        [.timeout, .cancelled, .truncated].contains(cause)
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
    static func seconds(_ wait: Duration) -> String {
        let (seconds, rest) = wait.components
        return "\(rest > 0 ? seconds + 1 : seconds)"
    }
}
