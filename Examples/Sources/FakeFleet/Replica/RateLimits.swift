import Foundation
import Hummingbird
import Synchronization

/// What one replica lets its clients ask for, as a provider does: buckets of requests and of tokens that fill in real time.
///
/// In real time, whatever the fleet's speed, because clients read the headers by their own clocks.
final class RateLimits: Sendable {
    /// One bucket, full at first.
    private struct Bucket {
        let what: String
        let limit: Double
        /// Units that come in a second.
        let rate: Double
        /// Units that are missing.
        var owed = 0.0

        /// Seconds until `units` fit; what is larger than the bucket fits when nothing is missing.
        func wait(for units: Double) -> Double { max(0, owed + min(units, limit) - limit) / rate }

        var headers: HTTPFields {
            [
                .init("x-ratelimit-limit-\(what)")!: "\(Int(limit))",
                .init("x-ratelimit-remaining-\(what)")!: "\(Int(max(0, limit - owed)))",
                .init("x-ratelimit-reset-\(what)")!: "\(Int((owed / rate * 1_000).rounded(.up)))ms",
            ]
        }
    }

    private struct State {
        var requests: Bucket?
        var tokens: Bucket?
        /// When the buckets were looked at last.
        var last: ContinuousClock.Instant

        var headers: HTTPFields {
            var headers: HTTPFields = [:]
            for bucket in [requests, tokens].compactMap(\.self) { headers.append(contentsOf: bucket.headers) }
            return headers
        }

        mutating func advance(to now: ContinuousClock.Instant) {
            let seconds = max(.zero, now - last) / .seconds(1)
            last = max(last, now)
            requests.map { requests?.owed = max(0, $0.owed - $0.rate * seconds) }
            tokens.map { tokens?.owed = max(0, $0.owed - $0.rate * seconds) }
        }
    }

    private let state: Mutex<State>

    /// Full buckets as the options have them; none for what they do not limit.
    init(_ options: FleetOptions, at now: ContinuousClock.Instant = .now) {
        func bucket(_ what: String, _ limit: Int?) -> Bucket? {
            limit.map { Bucket(what: what, limit: Double($0), rate: Double($0) / options.limitWindow) }
        }
        let requests = bucket("requests", options.requestLimit), tokens = bucket("tokens", options.tokenLimit)
        state = Mutex(State(requests: requests, tokens: tokens, last: now))
    }

    /// Counts a request of so many tokens and returns the headers for its answer, throwing 429 when there is no room for it.
    func take(tokens: Int, at now: ContinuousClock.Instant = .now) throws -> HTTPFields {
        let (wait, headers) = state.withLock { state in
            state.advance(to: now)
            let wait = max(state.requests?.wait(for: 1) ?? 0, state.tokens?.wait(for: Double(tokens)) ?? 0)
            if wait == 0 {
                state.requests?.owed += 1
                state.tokens?.owed += Double(tokens)
            }
            return (wait, state.headers)
        }
        guard wait > 0 else { return headers }
        var refusal = headers
        refusal[.init("retry-after-ms")!] = "\(Int((wait * 1_000).rounded(.up)))"
        throw APIError(
            .tooManyRequests, "Rate limit reached", type: "requests", code: "rate_limit_exceeded", headers: refusal)
    }
}
