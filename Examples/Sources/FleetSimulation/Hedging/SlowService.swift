import Foundation
import Spillway

/// A service that is slow now and then, for no fault of the call.
enum SlowService: Sendable, Hashable {
    /// Two seconds, and twenty for one call in twenty.
    case twoOrTwenty
    /// Times whose logarithm is normal, with a median of one second.
    case logNormal(sigma: Double)

    static let all: [SlowService] = [.twoOrTwenty] + [0.5, 1, 1.5].map { .logNormal(sigma: $0) }

    /// The row's name.
    var name: String {
        switch self {
        case .twoOrTwenty: "2 s, 5 % 20 s"
        case .logNormal(let sigma): "log-normal \(sigma)"
        }
    }

    /// Seconds that one attempt takes.
    func seconds(_ random: RandomSource) -> Double {
        switch self {
        case .twoOrTwenty: return random.uniform() < 0.05 ? 20 : 2
        case .logNormal(let sigma):
            // Box and Muller.
            let radius = (-2 * log(1 - random.uniform())).squareRoot()
            return exp(sigma * radius * cos(2 * .pi * random.uniform()))
        }
    }

    /// The share of attempts that take longer than `seconds`.
    func above(_ seconds: Double) -> Double {
        switch self {
        case .twoOrTwenty: return seconds < 2 ? 1 : seconds < 20 ? 0.05 : 0
        case .logNormal(let sigma): return seconds <= 0 ? 1 : erfc(log(seconds) / sigma / 2.squareRoot()) / 2
        }
    }

    /// Delays among which the best one is, or one that is as good to within a thousandth.
    var candidates: [Double] {
        switch self {
        case .twoOrTwenty: [0, 2]
        case .logNormal(let sigma): [0] + stride(from: -4, through: 4, by: 0.001 / sigma).map { exp(sigma * $0) }
        }
    }
}
