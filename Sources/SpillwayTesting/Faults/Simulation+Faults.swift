public import SpillwayCore

extension Simulation {
    /// Runs `body` in a simulation of each seed with a script of faults, on all cores, and shrinks the script that fails.
    ///
    /// The script of the lowest seed that fails is shrunk by running that seed again with smaller scripts, up to 300 times,
    /// for as long as it fails with an error of the same type. The error has the seed, what failed at last, and the smallest script as
    /// Swift source.
    ///
    /// With `SPILLWAY_SEED` in the environment only that seed is run.
    ///
    /// - Parameters:
    ///   - seeds: The seeds to try.
    ///   - faults: Makes the script of a seed from numbers that depend on the seed alone.
    ///   - body: What to try; it fails by throwing.
    /// - Throws: `SimulationFailure` with the lowest seed that failed; `CancellationError`.
    public static func check(
        seeds: Range<UInt64>, faults: @escaping @Sendable (RandomSource) throws -> FaultScript,
        _ body: @escaping @Sendable (Simulation, FaultScript) async throws -> Void
    ) async throws {
        try await SeedSearch(seeds) { seed, traced in
            var script = FaultScript()
            do { script = try faults(.seeded(seed ^ 0x9e6c_63d0_876a_9a35)) } catch {
                return SimulationFailure(seed: seed, error: error)
            }
            guard var failure = Self.failure(of: seed, script, traced: traced, body) else { return nil }
            // Only the failure that is reported is worth shrinking.
            guard traced else { return failure }
            let kind = type(of: failure.error)
            script = script.shrunk(tries: 300) { smaller in
                Self.failure(of: seed, smaller, traced: false, body).map { type(of: $0.error) == kind } ?? false
            }
            failure = Self.failure(of: seed, script, traced: true, body) ?? failure
            return failure
        }.run()
    }

    /// Runs `body` once; nil when it did not fail.
    private static func failure(
        of seed: UInt64, _ script: FaultScript, traced: Bool,
        _ body: @escaping @Sendable (Simulation, FaultScript) async throws -> Void
    ) -> SimulationFailure? {
        let simulation = Simulation(seed: seed, traced: traced)
        do {
            try simulation.run { try await body(simulation, script) }
            return nil
        } catch {
            return SimulationFailure(seed: seed, error: error, script: "\(script)", trace: simulation.trace)
        }
    }
}
