import Spillway

/// What limits the calls in flight at each replica; one row of the result.
enum OverloadPolicy: Sendable, Hashable {
    case none
    case fixed(Int)
    case gradient2
    case failsafe
    case gradient
    case aimd
    case vegas
    case model

    /// Those that find their limit themselves, and none.
    static let all: [OverloadPolicy] = [.none, .gradient2, .failsafe, .gradient, .aimd, .vegas, .model]

    /// The row's name.
    var name: String {
        switch self {
        case .none: "no limit"
        case .fixed(let limit): "fixed \(limit)"
        case .gradient2: "Netflix Gradient2"
        case .failsafe: "failsafe-go"
        case .gradient: "gradient"
        case .aimd: "aimd"
        case .vegas: "vegas"
        case .model: "model"
        }
    }

    func limiter(_ settings: OverloadSettings) throws -> any OverloadLimiter {
        func ours(_ limit: ConcurrencyLimit.Limit) throws -> any OverloadLimiter {
            try SpillwayLimiter(.init(limit, in: settings.range))
        }
        return switch self {
        case .none: NoLimiter()
        case .fixed(let limit): try ours(.fixed(limit))
        case .gradient2: PublishedLimiter(Gradient2Rule(settings.range))
        case .failsafe: PublishedLimiter(FailsafeRule(settings.range))
        case .gradient: try ours(.adaptive(.gradient()))
        // What a mean answer takes that just meets the goal.
        case .aimd:
            try ours(
                .adaptive(
                    .aimd(
                        latency: .seconds(settings.engine.goal.firstToken + 211 / settings.engine.goal.tokensPerSecond))
                ))
        case .vegas: try ours(.adaptive(.vegas()))
        case .model:
            try ours(
                .adaptive(
                    .model(
                        firstContent: .seconds(settings.engine.goal.firstToken),
                        tokensPerSecond: settings.engine.goal.tokensPerSecond)))
        }
    }
}
