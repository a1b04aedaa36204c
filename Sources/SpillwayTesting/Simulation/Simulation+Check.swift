extension Simulation {
    /// Runs `body` in a simulation of each seed, on all cores.
    ///
    /// With `SPILLWAY_SEED` in the environment only that seed is run.
    ///
    /// - Parameters:
    ///   - seeds: The seeds to try.
    ///   - body: What to try; it fails by throwing.
    /// - Throws: `SimulationFailure` with the lowest seed that failed; `CancellationError`.
    public static func check(
        seeds: Range<UInt64>, _ body: @escaping @Sendable (Simulation) async throws -> Void
    ) async throws {
        try await SeedSearch(seeds) { seed, traced in
            let simulation = Simulation(seed: seed, traced: traced)
            do {
                try simulation.run { try await body(simulation) }
                return nil
            } catch {
                return SimulationFailure(seed: seed, error: error, trace: simulation.trace)
            }
        }.run()
    }
}
