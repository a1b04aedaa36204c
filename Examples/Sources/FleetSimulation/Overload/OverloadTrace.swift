import Foundation
import Spillway
import SpillwayTesting

/// The calls of one seed at one load: when each comes, and how large it is.
///
/// The same for all policies.
struct OverloadTrace: Sendable {
    struct Arrival: Sendable {
        let at: Instant
        let request: EngineModel.Request
    }

    let arrivals: [Arrival]

    /// A Poisson process of `perSecond` calls a second.
    init(perSecond: Double, _ settings: OverloadSettings, seed: UInt64) {
        let random = RandomSource.seeded(seed)
        var seconds = 0.0
        var arrivals: [Arrival] = []
        while true {
            seconds -= log(1 - random.uniform()) / perSecond
            guard seconds < settings.seconds else { break }
            arrivals.append(Arrival(at: .seconds(1 + seconds), request: CallSizes.draw(random)))
        }
        self.arrivals = arrivals
    }
}

extension Instant {
    /// So many seconds after the clock's origin.
    static func seconds(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
}
