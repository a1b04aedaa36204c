import FleetFaults
import Foundation
import Hummingbird
import NIOCore

extension FaultRule {
    /// Does what the fault does before the engine sees the call.
    ///
    /// Throws the error to answer with, or ``ClientGone`` once the connection is closed; returns when the fault shows
    /// only later.
    func strike(_ client: ClientWatch, on channel: any Channel) async throws {
        switch kind {
        case .rateLimit:
            let wait = retryAfter ?? "1"
            throw rateLimitError(headers: [
                .retryAfter: wait,
                .init("x-ratelimit-limit-requests")!: "60",
                .init("x-ratelimit-remaining-requests")!: "0",
                .init("x-ratelimit-reset-requests")!: "\(wait)s",
                .init("x-ratelimit-limit-tokens")!: "100000",
                .init("x-ratelimit-remaining-tokens")!: "0",
                .init("x-ratelimit-reset-tokens")!: "\(wait)s",
            ])
        case .rateLimitBare:
            throw rateLimitError(headers: [:])
        case .error500:
            throw APIError(.internalServerError, "The server had an error processing the request", type: "server_error")
        case .error503:
            throw APIError(
                .serviceUnavailable,
                "The engine is overloaded",
                type: "service_unavailable",
                headers: retryAfter.map { [.retryAfter: $0] } ?? [:]
            )
        case .outOfMemory:
            throw APIError.outOfMemory
        case .contextLength:
            throw refusal("This model's maximum context length is exceeded", code: "context_length_exceeded")
        case .contentPolicy:
            throw refusal("The request was rejected by the safety system", code: "content_policy_violation")
        case .noPrefill:
            throw refusal("This model does not go on with an answer: the last message must be the user's", code: nil)
        case .reset:
            // Closing with lingering off makes the kernel send RST, where it would otherwise send FIN.
            try? await (channel as? any SocketOptionProvider)?
                .setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            try? await channel.close().get()
            throw ClientGone()
        case .noAnswer:
            await client.untilGone()
            throw ClientGone()
        case .slowFirstToken, .cutStream, .stall, .malformedChunk, .noDone, .stuckKernel, .dribble, .errorEvent,
            .lateErrorEvent, .openEnd, .contentFilter:
            return
        }
    }

    private func refusal(_ message: String, code: String?) -> APIError {
        APIError(.badRequest, message, param: "messages", code: code)
    }

    private func rateLimitError(headers: HTTPFields) -> APIError {
        APIError(
            .tooManyRequests,
            "Rate limit reached for requests",
            type: "requests",
            code: "rate_limit_exceeded",
            headers: headers
        )
    }
}
