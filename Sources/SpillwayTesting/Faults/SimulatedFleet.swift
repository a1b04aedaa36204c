public import SpillwayCore

/// Replicas of an inference service in a simulation, on which a script of faults is played.
///
/// Each replica is an ``EngineModel``, so that answers take as long as batch, memory and prompts make them. Replica `r` is
/// in zone `r % zones`. The script's times count from when the fleet is made. Faults, engines and requests run as tasks of
/// the simulation; all of them end by themselves, or when the task that asked is cancelled.
public final class SimulatedFleet: Sendable {
    /// What a replica said.
    public struct Answer: Sendable, Hashable {
        /// When the first token came.
        public let firstToken: Instant
        /// When the last token came.
        public let end: Instant
        /// Tokens that were generated.
        public let tokens: Int
    }

    /// What a replica was asked.
    public struct Counts: Sendable, Hashable {
        /// Requests that reached out for it.
        public var asked = 0
        /// Requests that it answered.
        public var answered = 0
        /// Requests that ended without an answer, whoever's fault that was.
        public var wasted = 0
        /// Requests under way.
        public var underWay: Int { asked - answered - wasted }
    }

    /// How many zones there are.
    public let zones: Int
    /// What goes wrong.
    public let script: FaultScript
    let simulation: Simulation
    let engines: [EngineDriver]
    let board: ActiveFaults
    private let tallies: Locked<[Counts]>

    /// A fleet of idle replicas.
    ///
    /// - Parameters:
    ///   - simulation: Where it runs; only one fleet of a simulation should be given faults of the clock.
    ///   - replicas: How many replicas, from 1 to 10,000.
    ///   - zones: How many zones they are spread over, from 1 to the number of replicas; 1 by default.
    ///   - engine: What each replica is.
    ///   - script: What goes wrong; nothing by default.
    /// - Throws: `ConfigurationError` for other numbers, or a script that names a replica or a zone that is not there.
    public init(
        _ simulation: Simulation, replicas: Int, zones: Int = 1, engine: EngineModel.Configuration,
        script: FaultScript = []
    ) throws(ConfigurationError) {
        let check = Validation("SimulatedFleet")
        try check.count(replicas, "replicas", in: 1...10_000)
        try check.count(zones, "zones", in: 1...replicas)
        for fault in script.faults {
            switch fault.place {
            case .replica(let number)?: try check.count(number, "script.replica", in: 0...(replicas - 1))
            case .zone(let number)?: try check.count(number, "script.zone", in: 0...(zones - 1))
            case nil: break
            }
        }
        self.simulation = simulation
        self.zones = zones
        self.script = script
        board = ActiveFaults(script, replicas: replicas, zones: zones)
        engines = (0..<replicas).map { number in
            EngineDriver(engine, time: simulation.time) { body in
                simulation.start("engine \(number)") { await body() }
            }
        }
        tallies = Locked(Array(repeating: Counts(), count: replicas))
        play(FaultSchedule(script), from: simulation.time.now)
    }

    /// How many replicas there are.
    public var replicas: Int { engines.count }

    /// What each replica was asked so far.
    public var counts: [Counts] { tallies.withLock { $0 } }

    /// The gauges of each replica's engine now.
    public var loads: [EngineModel.Load] { engines.map(\.load) }

    /// Asks a replica.
    ///
    /// - Parameters:
    ///   - request: Prompt and length of the answer.
    ///   - replica: Its number, from 0.
    ///   - timeout: How long to wait, as a transport would; for ever by default. A replica that hangs answers never.
    /// - Throws: `SimulatedFailure`; ``SimulatedFailure/cancelled`` as soon as the task is cancelled.
    public func answer(
        _ request: EngineModel.Request, at replica: Int, within timeout: Duration? = nil
    ) async throws(SimulatedFailure) -> Answer {
        guard engines.indices.contains(replica) else { throw .connectionRefused }
        tallies.withLock { $0[replica].asked += 1 }
        let result: Result<Answer, SimulatedFailure>
        if let timeout {
            result = await self.result(request, replica, until: simulation.time.now.advanced(by: timeout))
        } else {
            result = await self.result(request, replica)
        }
        tallies.withLock { counts in
            switch result {
            case .success: counts[replica].answered += 1
            case .failure: counts[replica].wasted += 1
            }
        }
        simulation.note("replica \(replica): \(result.failure.map { "\($0)" } ?? "answered")")
        return try result.get()
    }

    private func result(
        _ request: EngineModel.Request, _ replica: Int, until limit: Instant
    ) async -> Result<Answer, SimulatedFailure> {
        await withTaskGroup(of: Result<Answer, SimulatedFailure>?.self) { [simulation] group in
            group.addTask { await self.result(request, replica) }
            group.addTask {
                // Cancelled when the answer is there, or when the caller goes away: then the other child says so.
                do { try await simulation.time.sleep(until: limit) } catch { return nil }
                return .failure(.timeout)
            }
            for await result in group {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            return .failure(.cancelled)
        }
    }

    private func result(_ request: EngineModel.Request, _ replica: Int) async -> Result<Answer, SimulatedFailure> {
        do throws(SimulatedFailure) { return .success(try await ask(request, replica)) } catch {
            return .failure(Task.isCancelled ? .cancelled : error)
        }
    }

    private func ask(_ request: EngineModel.Request, _ replica: Int) async throws(SimulatedFailure) -> Answer {
        var condition = board.condition(of: replica)
        if condition.isDown { throw .connectionRefused }
        if condition.delay > .zero {
            do { try await simulation.time.sleep(for: condition.delay) } catch { throw .cancelled }
            condition = board.condition(of: replica)
            if condition.isDown { throw .connectionLost }
        }
        let hangs = condition.isHung
        if !hangs {
            if condition.isLimited { throw .rateLimited(retryAfter: condition.hint) }
            if Double(simulation.random.next() >> 11) * 0x1p-53 < condition.errorRate { throw .serverError }
        }
        let progress: AsyncStream<EngineModel.Progress>
        do throws(EngineModel.Refusal) {
            progress = try engines[replica].submit(request) { engine, id in if hangs { engine.hang(id) } }.progress
        } catch {
            throw SimulatedFailure(error)
        }
        var first: Instant?
        var tokens = 0
        for await step in progress {
            first = first ?? step.at
            tokens += step.tokens
            if step.isLast { return Answer(firstToken: first ?? step.at, end: step.at, tokens: tokens) }
        }
        throw .connectionLost
    }
}

extension Result {
    /// Why there is no value; nil when there is one.
    fileprivate var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
