import SpillwayCore

@testable import GPUClient

extension RandomSource {
    /// Nearly a normal distribution around 0, of standard deviation 1: the sum of twelve even ones.
    func noise() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double(next() >> 11) / Double(1 << 53) }
    }
}

/// Demand by the quarter of an hour over days of 96: a night, a rise, a busy afternoon; and noise.
struct Demand {
    enum Scatter: CaseIterable { case even, ofIndependentCalls, proportional }

    let random: RandomSource
    let scatter: Scatter
    var growth = 0.0
    static let season = 96
    static let bucket = Duration.seconds(900)

    /// What is expected of a bucket.
    func mean(_ bucket: Int) -> Double {
        let hour = Double(bucket % Self.season) / 4
        // A parabola from 8 to 22 o'clock above the night's level.
        let day = hour > 8 && hour < 22 ? (hour - 8) * (22 - hour) / 49 : 0
        return 200 + 800 * day + growth * Double(bucket)
    }

    func count(_ bucket: Int) -> Int {
        let mean = mean(bucket)
        let deviation: Double =
            switch scatter {
            case .even: 25
            case .ofIndependentCalls: mean.squareRoot()
            case .proportional: mean * 0.06
            }
        return max(0, Int((mean + deviation * random.noise()).rounded()))
    }

    static func time(_ bucket: Int) -> Instant { .zero.advanced(by: Self.bucket * bucket) }
}

/// The field of the refusal that a body throws.
func refused(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? ConfigurationError)?.field }
    return nil
}
