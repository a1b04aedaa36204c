/// Runs trace time at a multiple of real time.
struct TraceClock: Sendable {
    /// Trace seconds that pass in one real second.
    let speed: Double
    /// When trace time was 0.
    let start: ContinuousClock.Instant

    /// Trace seconds from the start to `instant`.
    func seconds(at instant: ContinuousClock.Instant = .now) -> Double {
        (instant - start) / .seconds(1) * speed
    }

    /// The real instant at which trace time is `seconds`.
    func instant(at seconds: Double) -> ContinuousClock.Instant {
        start + .seconds(seconds / speed)
    }

    /// Waits until trace time is `seconds`; throws when the task is cancelled.
    func sleep(until seconds: Double) async throws {
        try await Task.sleep(until: instant(at: seconds), tolerance: .zero, clock: .continuous)
    }
}
