#if HTTPClientSupport
public import AsyncHTTPClient
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import NIOCore
internal import NIOHTTP1
public import Spillway

/// How an HTTP attempt failed, and what that says about the target.
public struct UpstreamError: OutcomeError, CustomStringConvertible {
    /// The status of the answer; nil: there was none.
    ///
    /// For an error inside an answer with status 200, the one that its code stands for.
    public let status: Int?
    /// What the failure says about the target.
    public let outcome: Outcome
    /// The first 16 KiB of the body of an error.
    public let body: [UInt8]
    /// The body's content type, nil when the answer has none.
    public let contentType: String?
    /// What lies beneath: the error of the client, of the decoder, or of the stream; nil when the answer says it all.
    public let underlying: (any Error)?
    /// What happened, in one line.
    public let message: String

    /// A failure.
    public init(
        _ message: String, _ outcome: Outcome, status: Int? = nil, body: [UInt8] = [], contentType: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.status = status
        self.outcome = outcome
        self.body = body
        self.contentType = contentType
        self.underlying = underlying
        self.message = message
    }

    /// One line: what happened, and its cause as a code.
    public var description: String { "\(message) [\(outcome.cause)]" }

    /// The failure that an answer stands for.
    ///
    /// Reads at most 16 KiB of the body, for at most 5 s; what came until then is enough.
    public static func from(_ response: HTTPClientResponse) async -> UpstreamError {
        await from(response, within: Cutoff(deadline: .distantFuture, time: .system))
    }

    static func from(_ response: HTTPClientResponse, within cutoff: Cutoff) async -> UpstreamError {
        let soon = cutoff.time.now.advanced(by: .seconds(5))
        let (body, _) = await Cutoff(deadline: min(cutoff.deadline, soon), time: cutoff.time).cancelling {
            await response.body.start(upTo: HTTPAnswer.bodyLimit)
        }
        let headers = response.headers
        let answer = HTTPAnswer(
            status: Int(response.status.code), headers: { headers.first(name: $0) }, body: body)
        let line = "HTTP \(response.status.code) \(response.status.reasonPhrase)"
        let detail = ProviderError(body).map { ": \($0.message.prefix(500))" } ?? ""
        return UpstreamError(
            line + detail, answer.outcome(now: Date().timeIntervalSince1970), status: answer.status, body: body,
            contentType: headers.first(name: "content-type"))
    }

    /// The failure that an error object inside an answer of status 200 stands for.
    static func from(_ error: ProviderError, in body: [UInt8]) -> UpstreamError {
        let answer = HTTPAnswer(status: error.status, body: body)
        return UpstreamError(
            "the upstream reported: \(error.message.prefix(500))", answer.outcome(now: 0),
            status: error.status, body: Array(body.prefix(HTTPAnswer.bodyLimit)), contentType: "application/json")
    }

    /// An answer that was not what the protocol allows.
    public static func malformed(_ message: String) -> UpstreamError {
        malformed(message, underlying: nil)
    }

    static func malformed(_ message: String, underlying: (any Error)?) -> UpstreamError {
        UpstreamError(message, .failure(.malformed), underlying: underlying)
    }

    /// An answer that ended before it was whole, after some of it had been passed on.
    public static func truncated(_ message: String) -> UpstreamError {
        UpstreamError(message, .failure(.truncated))
    }

    /// The same failure of a stream of which some had been passed on: it can no longer be tried again, and it speaks against
    /// the target only if it did before.
    var afterCommit: UpstreamError {
        if [.truncated, .cancelled, .spendLimit].contains(outcome.cause) { return self }
        let hint = outcome.retryAfter
        return UpstreamError(
            "the stream was cut: \(message)",
            outcome.verdict == .failure
                ? .failure(.truncated, retryAfter: hint) : .neutral(.truncated, retryAfter: hint),
            status: status, body: body, contentType: contentType, underlying: self)
    }
}

extension HTTPClientResponse.Body {
    /// The first `limit` bytes, or fewer when reading fails.
    fileprivate func start(upTo limit: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await buffer in self {
                bytes += buffer.readableBytesView.prefix(limit - bytes.count)
                if bytes.count >= limit { break }
            }
        } catch {
            // An error's body is a hint: the status has been read already.
        }
        return bytes
    }
}
#endif
