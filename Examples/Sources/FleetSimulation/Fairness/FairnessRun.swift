import Foundation
import Spillway
import SpillwayTesting
import Synchronization

/// One seed under one policy: what each tenant asked for and got.
struct FairnessRun: Sendable {
    /// What came of one tenant's calls.
    struct Tally: Sendable {
        var asked = 0
        var answered = 0
        /// Tokens of prompts and answers that were answered.
        var tokens = 0
        /// The largest shares that answered calls took of calls and of blocks, added up.
        var dominant = 0.0
        /// Waits of those who were answered, in seconds.
        var waits: [Double] = []
    }

    let tallies: [Tally]
    /// Answers a second of the whole fleet.
    let rate: Double

    /// Calls a second that the fleet answers while as many are under way as may be.
    static func capacity(_ settings: FairnessSettings, seed: UInt64) throws -> Double {
        // Nobody asks for more than what is free: the line is always full, and of all tenants alike.
        var settings = settings
        settings.tenants = settings.tenants.map {
            .init(name: $0.name, demand: 0, prompt: $0.prompt, output: $0.output)
        }
        return try FairnessRun(settings, .none, closed: true, capacity: 1, seed: seed).rate
    }

    /// Calls of all tenants, from a clock of their own each, through the policy to the fleet.
    init(_ settings: FairnessSettings, _ kind: FairnessPolicy, capacity: Double, seed: UInt64) throws {
        self = try FairnessRun(settings, kind, closed: false, capacity: capacity, seed: seed)
    }

    private init(
        _ settings: FairnessSettings, _ kind: FairnessPolicy, closed: Bool, capacity: Double, seed: UInt64
    ) throws {
        let simulation = Simulation(seed: seed, limit: 100_000_000), time = simulation.time
        let (policy, _) = try kind.policy(settings, capacity: capacity, time)
        let engine = try settings.engine
        let board = Board(settings)
        try simulation.run {
            let fleet = try SimulatedFleet(simulation, replicas: settings.replicas, engine: engine)
            let end = time.now.advanced(by: .seconds(settings.seconds))
            let callers = Callers(settings, policy, fleet, simulation, board, isOneLine: kind == .fifo)
            if closed {
                try await callers.askWithoutEnd(until: end)
            } else {
                try await callers.ask(capacity: capacity, until: end)
            }
        }
        tallies = board.tallies.withLock(\.self)
        rate = Double(tallies.reduce(0) { $0 + $1.answered }) / Double(settings.seconds - settings.warmUp)
    }

    /// What is counted while it runs.
    fileprivate final class Board: Sendable {
        let tallies: Mutex<[Tally]>

        init(_ settings: FairnessSettings) {
            tallies = Mutex(settings.tenants.map { _ in Tally() })
        }
    }

    /// The tenants' clients.
    fileprivate final class Callers: Sendable {
        private let settings: FairnessSettings
        private let policy: Policy
        private let fleet: SimulatedFleet
        private let simulation: Simulation
        private let board: Board
        private let isOneLine: Bool
        private let began: Instant
        private let turn = Atomic(0)

        init(
            _ settings: FairnessSettings, _ policy: Policy, _ fleet: SimulatedFleet, _ simulation: Simulation,
            _ board: Board, isOneLine: Bool
        ) {
            self.settings = settings
            self.policy = policy
            self.fleet = fleet
            self.simulation = simulation
            self.board = board
            self.isOneLine = isOneLine
            began = simulation.time.now
        }

        /// Calls that come whether others have ended or not, at random times.
        func ask(capacity: Double, until end: Instant) async throws {
            let tenants = settings.tenants
            var open: [Task<Void, any Error>] = []
            let share = capacity / Double(tenants.count)
            for (index, tenant) in tenants.enumerated() {
                let random = RandomSource.seeded(simulation.random.next()), rate = share * tenant.demand
                open.append(
                    simulation.start("tenant \(index)") { [self] in
                        var calls: [Task<Void, any Error>] = []
                        while true {
                            let pause = -log(1 - random.uniform()) / rate
                            try await simulation.time.sleep(for: .nanoseconds(Int64(pause * 1e9)))
                            guard simulation.time.now < end else { break }
                            let request = request(tenant, random)
                            calls.append(simulation.start("call") { [self] in await call(index, request, until: end) })
                        }
                        for call in calls { _ = await call.result }
                    })
            }
            for tenant in open { try await tenant.value }
        }

        /// As many calls at once as the fleet takes, each tenant's in turn.
        func askWithoutEnd(until end: Instant) async throws {
            let random = RandomSource.seeded(simulation.random.next())
            let callers = (0..<settings.limit).map { _ in
                simulation.start("caller") { [self] in
                    while simulation.time.now < end {
                        let index = turn.wrappingAdd(1, ordering: .relaxed).oldValue % settings.tenants.count
                        await call(index, request(settings.tenants[index], random), until: end)
                    }
                }
            }
            for caller in callers { try await caller.value }
        }

        private func request(_ tenant: FairnessSettings.Tenant, _ random: RandomSource) -> EngineModel.Request {
            EngineModel.Request(
                promptTokens: tenant.prompt.lowerBound + random.upTo(tenant.prompt.count - 1),
                outputTokens: tenant.output.lowerBound + random.upTo(tenant.output.count - 1))
        }

        private func call(_ index: Int, _ request: EngineModel.Request, until end: Instant) async {
            let time = simulation.time, came = time.now
            let tokens = Call.Tokens.estimate(input: request.promptTokens, maxOutput: request.outputTokens)
            let call = Call(tokens: tokens, key: isOneLine ? nil : "\(index)")
            let isCounted = began.duration(to: came) >= .seconds(settings.warmUp)
            if isCounted { board.tallies.withLock { $0[index].asked += 1 } }
            let began = Mutex(came)
            let answer = try? await policy.run(call) { _ in
                began.withLock { $0 = time.now }
                return try await fleet.answer(request, at: leastLoaded)
            }
            guard answer != nil, isCounted, time.now <= end.advanced(by: settings.patience) else { return }
            let waited = came.duration(to: began.withLock(\.self)) / .seconds(1)
            let blocks = ((Double(tokens.total) / 16).rounded(.up)) / settings.blocks
            let dominant = max(1 / Double(settings.limit), blocks)
            board.tallies.withLock { tallies in
                tallies[index].answered += 1
                tallies[index].tokens += Int(tokens.total)
                tallies[index].dominant += dominant
                tallies[index].waits.append(waited)
            }
        }

        private var leastLoaded: Int {
            let counts = fleet.counts
            return counts.indices.min { counts[$0].underWay < counts[$1].underWay } ?? 0
        }
    }
}
