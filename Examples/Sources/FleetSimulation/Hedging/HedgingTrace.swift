import Foundation
import Spillway

/// The calls of one seed to one service: when each comes, and how long each attempt of it takes.
///
/// It is the same for all policies, so that they differ by what they do and not by their luck.
struct HedgingTrace: Sendable {
    struct Arrival: Sendable {
        /// Seconds since the call before.
        let gap: Double
        /// Seconds that the first attempt and its hedge take.
        let attempts: [Double]
    }

    let seed: UInt64
    let arrivals: [Arrival]

    init(seed: UInt64, arrivals: [Arrival]) {
        self.seed = seed
        self.arrivals = arrivals
    }

    init(_ service: SlowService, _ settings: HedgingSettings, seed: UInt64) {
        self.seed = seed
        let random = RandomSource.seeded(seed)
        arrivals = (0..<settings.calls).map { _ in
            // A Poisson process.
            let gap = -log(1 - random.uniform()) / settings.perSecond
            return Arrival(gap: gap, attempts: [service.seconds(random), service.seconds(random)])
        }
    }
}
