import Spillway

/// When a call is hedged; one row of the result.
enum HedgingPolicy: Sendable, CaseIterable {
    case none
    /// After three seconds, whatever the service.
    case guess
    /// As other libraries do it: the quantile of the attempts that won.
    case winners
    case winnersUnbounded
    case quantile
    case quantileUnbounded
    case shortest

    /// The row's name.
    var name: String {
        switch self {
        case .none: "none"
        case .guess: "fixed 3 s"
        case .winners: "winners only"
        case .winnersUnbounded: "winners, no budget"
        case .quantile: "quantile 0.95"
        case .quantileUnbounded: "quantile, no budget"
        case .shortest: "shortest 0.99"
        }
    }

    /// Whether a budget bounds it.
    var isBounded: Bool { self != .winnersUnbounded && self != .quantileUnbounded }

    /// The production hedge with this delay.
    ///
    /// - Parameter winners: Knows how long attempts took that won.
    func hedge(_ settings: HedgingSettings, _ winners: WinnerTimes) throws -> Hedge {
        let budget =
            isBounded
            ? try RetryBudget("extra", .init(ratio: settings.share, minimumPerSecond: 0)) : RetryBudget.unlimited
        return try Hedge(after: delay(settings, winners), budget: budget)
    }

    private func delay(_ settings: HedgingSettings, _ winners: WinnerTimes) -> Hedge.Delay {
        switch self {
        case .none: .custom { _ in nil }
        case .guess: .fixed(.seconds(3))
        case .winners, .winnersUnbounded: .custom { _ in winners.delay() }
        case .quantile, .quantileUnbounded: .quantile(1 - settings.share)
        case .shortest: .shortest(settings.quantile, hedging: settings.share)
        }
    }
}
