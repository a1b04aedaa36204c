extension Simulation {
    /// Runs `body` in a simulation of each seed, on all cores.
    ///
    /// With `SPILLWAY_SEED` in the environment only that seed is run, if it is among them.
    ///
    /// - Parameters:
    ///   - seeds: The seeds to try.
    ///   - limit: The most jobs of one seed; a million by default.
    ///   - body: What to try; it fails by throwing. `#expect` does not throw: use `try #require`.
    /// - Throws: `SimulationFailure` with the lowest seed that failed; `CancellationError`; `SimulationError` for a
    ///   `SPILLWAY_SEED` that is no number.
    public static func check(
        seeds: Range<UInt64>, limit: Int = 1_000_000, _ body: @escaping @Sendable (Simulation) async throws -> Void
    ) async throws {
        try await SeedSearch(seeds) { seed, traced in failure(of: seed, traced: traced, limit: limit, body) }.run()
    }

    /// Runs `body` once in a simulation of `seed`; nil when it did not fail.
    ///
    /// - Parameter script: What `body` plays, to be named by the failure.
    static func failure(
        of seed: UInt64, traced: Bool, limit: Int, script: FaultScript? = nil,
        _ body: @escaping @Sendable (Simulation) async throws -> Void
    ) -> SimulationFailure? {
        let simulation = Simulation(seed: seed, traced: traced, limit: limit)
        do {
            try simulation.run { try await body(simulation) }
            return nil
        } catch {
            return SimulationFailure(
                seed: seed, error: error, script: script.map { "\($0)" }, trace: simulation.trace)
        }
    }
}
