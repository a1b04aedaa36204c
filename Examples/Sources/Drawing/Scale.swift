import Foundation

/// Maps values to the height of a panel: 0 at its foot, 1 at its top.
public enum Scale: Sendable, Equatable {
    /// From 0 to a maximum above 0.
    case linear(max: Double)
    /// From one power of ten to a higher one.
    case logarithmic(from: Int, to: Int)

    /// A linear scale that ends at a round number at or above `values`.
    public static func linear(holding values: [Double]) -> Scale {
        let top = max(values.max() ?? 0, 1)
        let step = step(for: top)
        return .linear(max: (top / step).rounded(.up) * step)
    }

    /// A logarithmic scale of at least one decade around the positive `values`.
    public static func logarithmic(holding values: [Double]) -> Scale {
        let positive = values.filter { $0 > 0 }
        let low = Int(log10(positive.min() ?? 0.1).rounded(.down))
        let high = Int(log10(positive.max() ?? 1).rounded(.up))
        return .logarithmic(from: low, to: max(high, low + 1))
    }

    /// The share of the height at which `value` lies, held within 0 and 1.
    public func position(_ value: Double) -> Double {
        let share: Double
        switch self {
        case .linear(let top): share = value / top
        case .logarithmic(let low, let high):
            share = value > 0 ? (log10(value) - Double(low)) / Double(high - low) : 0
        }
        return min(max(share, 0), 1)
    }

    /// The values that get a line and a label.
    public var ticks: [Double] {
        switch self {
        case .linear(let top): Array(stride(from: 0, through: top, by: Self.step(for: top)))
        case .logarithmic(let low, let high): (low...high).map { pow(10, Double($0)) }
        }
    }

    /// The smallest step of 1, 2 or 5 times a power of ten that needs at most four of it to reach `top`.
    private static func step(for top: Double) -> Double {
        let power = pow(10, log10(top / 4).rounded(.down))
        let factor = [1, 2, 5].first { power * $0 * 4 >= top * 0.999_999 } ?? 10
        return power * factor
    }
}
