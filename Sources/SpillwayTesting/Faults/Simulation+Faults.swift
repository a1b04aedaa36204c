public import SpillwayCore

extension Simulation {
    /// Runs `body` in a simulation of each seed with a script of faults, on all cores, and shrinks the script that fails.
    ///
    /// The script of the lowest seed that fails is shrunk by running that seed again with smaller scripts, up to 300 times,
    /// for as long as it breaks the same promise or fails with an error of the same type; one that goes round and round is not
    /// shrunk. The error has the seed, what failed at last, and the smallest script as
    /// Swift source.
    ///
    /// With `SPILLWAY_SEED` in the environment only that seed is run, if it is among them.
    ///
    /// - Parameters:
    ///   - seeds: The seeds to try.
    ///   - limit: The most jobs of one seed; a million by default.
    ///   - faults: Makes the script of a seed from numbers that depend on the seed alone.
    ///   - body: What to try; it fails by throwing. `#expect` does not throw: use `try #require`.
    /// - Throws: `SimulationFailure` with the lowest seed that failed; `CancellationError`.
    public static func check(
        seeds: Range<UInt64>, limit: Int = 1_000_000, faults: @escaping @Sendable (RandomSource) throws -> FaultScript,
        _ body: @escaping @Sendable (Simulation, FaultScript) async throws -> Void
    ) async throws {
        try await SeedSearch(seeds) { seed, traced in
            var script = FaultScript()
            do { script = try faults(.seeded(seed ^ 0x9e6c_63d0_876a_9a35)) } catch {
                return SimulationFailure(seed: seed, error: error)
            }
            guard var failure = Self.failure(of: seed, script, traced: traced, limit, body) else { return nil }
            // Only the failure that is reported is worth shrinking.
            guard traced else { return failure }
            let kind = failure.kind
            // One that goes round and round takes long each time.
            if case SimulationError.endless = failure.error { return failure }
            script = script.shrunk(tries: 300) { smaller in
                Self.failure(of: seed, smaller, traced: false, limit, body)?.kind == kind
            }
            failure = Self.failure(of: seed, script, traced: true, limit, body) ?? failure
            return failure
        }.run()
    }

    /// Runs `body` once; nil when it did not fail.
    private static func failure(
        of seed: UInt64, _ script: FaultScript, traced: Bool, _ limit: Int,
        _ body: @escaping @Sendable (Simulation, FaultScript) async throws -> Void
    ) -> SimulationFailure? {
        let simulation = Simulation(seed: seed, traced: traced, limit: limit)
        do {
            try simulation.run { try await body(simulation, script) }
            return nil
        } catch {
            return SimulationFailure(seed: seed, error: error, script: "\(script)", trace: simulation.trace)
        }
    }
}

extension SimulationFailure {
    /// What a smaller script must fail with to count as the same failure.
    fileprivate var kind: String {
        switch error {
        case let violation as Violation: "\(violation.invariant)"
        case SimulationError.stuck: "stuck"
        case SimulationError.escaped: "escaped"
        default: String(reflecting: type(of: error))
        }
    }
}
