import Spillway
import SpillwayCore
import SpillwayTesting

/// A small engine: a token in about 20 ms, a prompt of 1,000 tokens in 100 ms, 8 requests at a time.
func smallEngine() throws -> EngineModel.Configuration {
    try EngineModel.Configuration(
        kvBlocks: 1_000, maxRunning: 8, maxWaiting: 8, computeTime: .microseconds(100),
        weightsReadTime: .milliseconds(20))
}

/// A request that takes such an engine about 0.4 s alone.
let shortRequest = EngineModel.Request(promptTokens: 500, outputTokens: 20)

extension SimulatedFleet {
    /// How a request at `replica` ended.
    func result(
        _ request: EngineModel.Request = shortRequest, at replica: Int = 0, within timeout: Duration? = nil
    ) async -> Result<Answer, SimulatedFailure> {
        do throws(SimulatedFailure) {
            return .success(try await answer(request, at: replica, within: timeout))
        } catch {
            return .failure(error)
        }
    }

    /// Why a request at `replica` had no answer; nil when it had one.
    func failure(
        _ request: EngineModel.Request = shortRequest, at replica: Int = 0, within timeout: Duration? = nil
    ) async -> SimulatedFailure? {
        if case .failure(let failure) = await result(request, at: replica, within: timeout) { failure } else { nil }
    }
}

/// Runs `body` with a fleet of four replicas in two zones, in a simulation of its own.
func withFleet<Value: Sendable>(
    _ script: FaultScript = [], seed: UInt64 = 1,
    _ body: @escaping @Sendable (SimulatedFleet, Simulation) async throws -> Value
) throws -> Value {
    let simulation = Simulation(seed: seed)
    let fleet = try SimulatedFleet(simulation, replicas: 4, zones: 2, engine: smallEngine(), script: script)
    return try simulation.run { try await body(fleet, simulation) }
}
