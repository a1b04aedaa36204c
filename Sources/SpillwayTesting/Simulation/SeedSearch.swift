internal import SpillwayCore

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// Finds the lowest seed that fails, on all cores.
final class SeedSearch: Sendable {
    /// Tries a seed, and says how it failed; with every step when `traced`.
    typealias Attempt = @Sendable (_ seed: UInt64, _ traced: Bool) -> SimulationFailure?

    /// How long a worker goes on before it lets other tasks of the process have its thread.
    private static let turn = Duration.milliseconds(2)

    private let end: UInt64
    private let attempt: Attempt
    private let state: Locked<(next: UInt64, failure: SimulationFailure?)>

    /// Tries `seeds`; only the one that the environment names, where it names one, and none if that is not among them.
    ///
    /// - Throws: `SimulationError.unreadableSeed`.
    init(_ seeds: Range<UInt64>, _ attempt: @escaping Attempt) throws(SimulationError) {
        var seeds = seeds
        if let text = getenv("SPILLWAY_SEED").map({ String(cString: $0) }) {
            guard let seed = UInt64(text), seed < .max else { throw .unreadableSeed(text) }
            seeds = seeds.clamped(to: seed..<seed + 1)
        }
        end = seeds.upperBound
        state = Locked((seeds.lowerBound, nil))
        self.attempt = attempt
    }

    /// Tries all seeds.
    ///
    /// - Throws: The failure of the lowest that failed, from a second, traced run; `CancellationError`.
    func run() async throws {
        // As many as most machines have cores; the process's pool runs as many at a time as there are.
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<16 { group.addTask { await self.work() } }
        }
        try Task.checkCancellation()
        guard let failure = state.withLock({ $0.failure }) else { return }
        throw attempt(failure.seed, true)
            ?? SimulationFailure(seed: failure.seed, error: failure.error, script: failure.script, replays: false)
    }

    private func work() async {
        let time = SystemTime()
        var began = time.now
        while !Task.isCancelled, let seed = take() {
            if let failure = attempt(seed, false) {
                return state.withLock { state in
                    if failure.seed < state.failure?.seed ?? .max { state.failure = failure }
                }
            }
            if began.duration(to: time.now) > Self.turn {
                await Task.yield()
                began = time.now
            }
        }
    }

    /// The next seed, in order, so that all below one that failed are tried too.
    private func take() -> UInt64? {
        state.withLock { state in
            guard state.failure == nil, state.next < end else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
