import Foundation
import Spillway
import SpillwayTesting
import Synchronization

/// A provider under virtual time that limits requests and tokens a minute for one key, and says so in OpenAI's headers.
///
/// What a request is estimated to use is counted when it comes, prompt and longest answer, and corrected when it ends, as
/// providers of this kind do; a request that does not fit gets a 429. Headers say how much was left when the request was counted,
/// and come with the answer.
final class MeteredProvider: Sendable {
    /// How minutes are counted.
    enum Counting: String, Sendable {
        /// Units drip in all the time.
        case dripping = "dripping"
        /// All come back at the end of each minute.
        case windows = "fixed windows"
    }

    static let requestsPerMinute = 600.0
    static let tokensPerMinute = 300_000.0

    /// One request as the provider sees it.
    struct Request: Sendable {
        let prompt: Int
        let maxTokens: Int
        /// Tokens that the model really generates.
        let answer: Int
    }

    /// What comes back.
    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
    }

    /// What was counted since the warm-up; refusals from the beginning, since learning is part of it.
    struct Counts: Sendable {
        var served = 0
        var refused = 0
        /// Really used.
        var requests = 0.0
        var tokens = 0.0
    }

    private struct State {
        var requests: ProviderMeter
        var tokens: ProviderMeter
        var counts: [String: Counts] = [:]
        var lie: [String: String]?

        var headers: [String: String] { requests.headers("requests").merging(tokens.headers("tokens")) { $1 } }
    }

    private let simulation: Simulation
    private let warmUp: Double
    private let state: Mutex<State>

    init(_ simulation: Simulation, _ counting: Counting, warmUp: Double) {
        self.simulation = simulation
        self.warmUp = warmUp
        let now = Self.seconds(simulation.time.now)
        state = Mutex(
            State(
                requests: ProviderMeter(counting, limit: Self.requestsPerMinute, now),
                tokens: ProviderMeter(counting, limit: Self.tokensPerMinute, now)))
    }

    static func seconds(_ now: Instant) -> Double { Double(now.nanoseconds) / 1e9 }

    /// What `client` was served and refused.
    func counts(of client: String) -> Counts { state.withLock { $0.counts[client] ?? Counts() } }

    /// The next answer says this in its headers.
    func lie(_ headers: [String: String]) { state.withLock { $0.lie = headers } }

    /// Serves one request, with its way there and back.
    func answer(_ request: Request, from client: String) async throws -> Answer {
        let time = simulation.time, random = simulation.random
        try await time.sleep(for: .milliseconds(5 + random.upTo(55)))
        let estimate = Double(request.prompt + request.maxTokens), real = Double(request.prompt + request.answer)
        let arrived = Self.seconds(time.now)
        let (window, headers) = state.withLock { state in
            state.requests.advance(to: arrived)
            state.tokens.advance(to: arrived)
            let wait = max(state.requests.wait(for: 1), state.tokens.wait(for: estimate))
            let isCounted = arrived >= warmUp
            if wait > 0 {
                state.counts[client, default: Counts()].refused += 1
                var headers = state.headers
                headers["retry-after-ms"] = "\(Int((wait * 1_000).rounded(.up)))"
                return (-1.0, headers)
            }
            state.requests.take(1)
            state.tokens.take(estimate)
            if isCounted {
                state.counts[client, default: Counts()].served += 1
                state.counts[client, default: Counts()].requests += 1
                state.counts[client, default: Counts()].tokens += real
            }
            defer { state.lie = nil }
            return (state.tokens.start, state.lie.map { state.headers.merging($0) { $1 } } ?? state.headers)
        }
        if window >= 0 {
            // Half a second to the first token, and a hundred tokens a second.
            try? await time.sleep(for: .milliseconds(500 + request.answer * 10))
            let ended = Self.seconds(time.now)
            state.withLock { state in
                state.tokens.advance(to: ended)
                if state.tokens.start == window || window == 0 { state.tokens.giveBack(estimate - real) }
            }
        }
        try await time.sleep(for: .milliseconds(5 + random.upTo(55)))
        return Answer(status: window < 0 ? 429 : 200, headers: headers)
    }
}

/// One limit of the provider.
struct ProviderMeter: Sendable {
    private let counting: MeteredProvider.Counting
    let limit: Double
    private var owed = 0.0
    private var now: Double
    /// When the window began; 0 where units drip.
    private(set) var start = 0.0

    init(_ counting: MeteredProvider.Counting, limit: Double, _ now: Double) {
        (self.counting, self.limit, self.now) = (counting, limit, now)
        if counting == .windows { start = (now / 60).rounded(.down) * 60 + 1e-9 }
    }

    mutating func advance(to time: Double) {
        switch counting {
        case .dripping: owed = max(0, owed - (time - now) * limit / 60)
        case .windows:
            if time >= start + 60 {
                start = (time / 60).rounded(.down) * 60 + 1e-9
                owed = 0
            }
        }
        now = time
    }

    /// Seconds until `units` fit.
    func wait(for units: Double) -> Double {
        guard owed + units > limit else { return 0 }
        return counting == .windows ? start + 60 - now : (owed + units - limit) * 60 / limit
    }

    mutating func take(_ units: Double) { owed += units }

    mutating func giveBack(_ units: Double) { owed = max(0, owed - units) }

    /// OpenAI's headers.
    func headers(_ what: String) -> [String: String] {
        let reset = counting == .windows ? start + 60 - now : owed * 60 / limit
        let milliseconds = Int((reset * 1_000).rounded(.up))
        let text =
            milliseconds < 1_000
            ? "\(milliseconds)ms"
            : String(format: "%dm%.3fs", milliseconds / 60_000, Double(milliseconds % 60_000) / 1_000)
        return [
            "x-ratelimit-limit-\(what)": "\(Int(limit))",
            "x-ratelimit-remaining-\(what)": "\(Int(max(0, limit - owed).rounded(.down)))",
            "x-ratelimit-reset-\(what)": text,
        ]
    }
}
