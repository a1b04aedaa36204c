import SpillwayCore

/// Simulated time from its origin on, running `speed` times as fast as the machine's.
struct SimulatedClock: TimeSource {
    let speed: Double
    private let machine = SystemTime()
    private let start: Instant

    /// A clock at its origin now.
    init(speed: Double) {
        self.speed = speed
        start = machine.now
    }

    /// The simulated present.
    var now: Instant {
        Instant(nanoseconds: Self.whole(Double(machine.now.nanoseconds - start.nanoseconds) * speed))
    }

    /// Returns at a simulated instant, or up to two milliseconds of the machine's time later.
    ///
    /// Throws `CancellationError` as soon as the task is cancelled.
    func sleep(until instant: Instant) async throws(CancellationError) {
        // One nanosecond against what the division rounds off.
        let wait = Self.whole(Double(instant.nanoseconds) / speed)
        try await machine.sleep(until: start.advanced(by: .nanoseconds(wait) + .nanoseconds(1)))
    }

    private static func whole(_ nanoseconds: Double) -> Int64 {
        Int64(min(max(nanoseconds, 0), 9e18))
    }
}
