public import SpillwayCore

extension Simulation {
    /// Runs `body` in a simulation of each seed with a script of faults, on all cores, and shrinks the script that fails.
    ///
    /// The script of the lowest seed that fails is shrunk by running that seed again with smaller scripts, up to 300 times,
    /// for as long as it breaks the same promise or fails with an error of the same type; one that goes round and round is
    /// not shrunk. The error has the seed, what failed at last, and the smallest script as Swift source.
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
            let script: FaultScript
            do { script = try faults(.seeded(seed ^ 0x9e6c_63d0_876a_9a35)) } catch {
                return SimulationFailure(seed: seed, error: error)
            }
            let attempt = { @Sendable (script: FaultScript, traced: Bool) in
                failure(of: seed, traced: traced, limit: limit, script: script) { try await body($0, script) }
            }
            guard let failure = attempt(script, traced) else { return nil }
            // Only the failure that is reported is worth shrinking, and one that goes round and round takes long each time.
            if !traced { return failure }
            if case SimulationError.endless = failure.error { return failure }
            let shrunk = script.shrunk(tries: 300) { attempt($0, false)?.kind == failure.kind }
            return attempt(shrunk, true) ?? failure
        }.run()
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
