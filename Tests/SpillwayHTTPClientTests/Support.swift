#if HTTPClientSupport
import AsyncHTTPClient
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Starts an upstream and a client, runs `body`, and stops both.
func withUpstream(
    _ answers: [Upstream.Answer], _ body: (Upstream, HTTPClient) async throws -> Void
) async throws {
    let upstream = try await Upstream.start(answers)
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(upstream, client))
    } catch {
        result = .failure(error)
    }
    try await client.shutdown()
    try await upstream.stop()
    try result.get()
}

/// A policy that tries again `retries` times, at once unless the target asks for a pause.
func policy(retries: Int = 2, time: any TimeSource = .system, _ gates: [any Gate] = []) throws -> Policy {
    try Policy("test", time: time) { () throws(ConfigurationError) in
        try Retry(upTo: retries, backoff: .none, budget: .unlimited)
        Gates(gates)
    }
}

/// A request of this method.
func request(_ method: HTTPMethod = .GET, _ url: String) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: url)
    request.method = method
    return request
}

/// The error of a call that must fail; nil and a recorded issue when it does not.
func failure<Success>(
    _ body: () async throws -> Success, _ location: SourceLocation = #_sourceLocation
) async -> PolicyError<UpstreamError>? {
    do {
        _ = try await body()
        Issue.record("the call must fail", sourceLocation: location)
        return nil
    } catch {
        let failure = error as? PolicyError<UpstreamError>
        if failure == nil { Issue.record("\(error)", sourceLocation: location) }
        return failure
    }
}

/// A gate that lets everything pass and remembers calls and outcomes.
final class Witness: Gate {
    let name = "witness"
    private let seen = Locked<(calls: [Call], outcomes: [Outcome?])>(([], []))

    var calls: [Call] { seen.withLock { $0.calls } }
    var outcomes: [Outcome?] { seen.withLock { $0.outcomes } }

    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        seen.withLock { $0.calls.append(call) }
        return Permit(at: now) { [weak self] outcome, _ in self?.seen.withLock { $0.outcomes.append(outcome) } }
    }
}
#endif
