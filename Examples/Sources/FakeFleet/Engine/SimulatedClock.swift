/// Simulated seconds since its creation, running `speed` times as fast as real time.
struct SimulatedClock: Sendable {
    let speed: Double
    private let start = ContinuousClock.now

    /// A clock at second 0 now.
    init(speed: Double) {
        self.speed = speed
    }

    /// Simulated seconds since the start.
    var now: Double {
        (ContinuousClock.now - start) / .seconds(1) * speed
    }

    /// Sleeps until a simulated second, throwing `CancellationError` when cancelled.
    func sleep(until second: Double) async throws {
        try await Task.sleep(until: start + .seconds(second / speed), clock: .continuous)
    }

    /// Sleeps for some simulated seconds, throwing `CancellationError` when cancelled.
    func sleep(for seconds: Double) async throws {
        try await Task.sleep(for: .seconds(seconds / speed))
    }
}
