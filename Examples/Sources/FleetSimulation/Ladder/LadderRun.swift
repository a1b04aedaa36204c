import Foundation
import Spillway
import SpillwayTesting
import Synchronization

/// One hour of one seed under one policy.
final class LadderRun: Sendable {
    /// What a service does when its best model is not to be had.
    enum Kind: String, CaseIterable, Sendable {
        /// It asks the same model again.
        case retries = "one model, retried"
        /// It asks another model, as gateways do today.
        case models = "model to model"
        /// It goes down a ladder: a compact model, retrieval, answers that were given before, a job for later.
        case ladder = "the ladder"
    }

    /// What came of the calls of one minute.
    struct Minute: Sendable {
        /// By tier.
        var answered: [String: Int] = [:]
        var failed = 0
        var spent = 0.0
    }

    struct Result: Sendable {
        var minutes: [Minute]
        var changes: [ModeChange] = []
        /// Changes of the mode that neither the outage nor the end of the money explains.
        var unexplained = 0
        /// Dollars.
        var spent = 0.0
        var limit = 0.0
        /// Steps down, by tier and reason.
        var steps: [String: Int] = [:]
        /// Answers below the first tier that gave no reason.
        var silent = 0
        /// Attempts at models beyond the first of a call.
        var extra = 0
        /// Seconds to the answer of those that a model, an index or a cache gave.
        var seconds: [Double] = []

        var calls: Int { minutes.reduce(0) { $0 + $1.failed + $1.answered.values.reduce(0, +) } }
        var answered: Int { minutes.reduce(0) { $0 + $1.answered.values.reduce(0, +) } }
        func answered(in tier: String) -> Int { minutes.reduce(0) { $0 + ($1.answered[tier] ?? 0) } }
    }

    let simulation: Simulation
    private let settings: LadderSettings
    private let trace: LadderTrace
    private let kind: Kind
    private let service: LadderService
    private let result: Mutex<Result>

    /// Plays the hour; `limit` is what all calls together may cost, nil: as much as they do.
    static func play(
        _ kind: Kind, _ trace: LadderTrace, _ settings: LadderSettings, limit: Money?, seed: UInt64
    ) throws -> Result {
        let simulation = Simulation(seed: seed, limit: 1_000_000_000)
        let run = try LadderRun(simulation, kind, trace, settings, limit)
        try simulation.run { try await run.play() }
        return run.result.withLock(\.self)
    }

    private init(
        _ simulation: Simulation, _ kind: Kind, _ trace: LadderTrace, _ settings: LadderSettings, _ limit: Money?
    ) throws {
        self.simulation = simulation
        self.settings = settings
        self.trace = trace
        self.kind = kind
        service = try LadderService(simulation, kind, settings, limit: limit)
        let minutes = Int((settings.seconds / 60).rounded(.up))
        result = Mutex(Result(minutes: Array(repeating: Minute(), count: minutes)))
    }

    private func play() async throws {
        let began = simulation.time.now
        var calls: [Task<Void, any Error>] = []
        for arrival in trace.arrivals {
            try await simulation.time.sleep(until: began.advanced(by: .seconds(arrival.at)))
            let question = settings.question(simulation.random)
            calls.append(simulation.start("call") { [self] in await ask(question, arrival) })
        }
        for call in calls { try await call.value }
        result.withLock { result in
            result.changes = service.changes
            result.spent = service.spent
            result.limit = service.limit.map { Double($0.nanodollars) / 1e9 } ?? 0
            result.unexplained = result.changes.count { change in
                !settings.explains(began.duration(to: change.at) / .seconds(1))
            }
        }
    }

    private func ask(_ question: Int, _ arrival: LadderTrace.Arrival) async {
        let began = simulation.time.now, spent = service.spent
        let (answer, report) = await service.ask(question, arrival.request)
        let seconds = began.duration(to: simulation.time.now) / .seconds(1)
        let minute = min(Int(arrival.at / 60), Int(settings.seconds / 60 - 0.001))
        let asked = report.attempts.count { $0.target.map { service.isModel($0) } ?? false }
        result.withLock { result in
            result.minutes[minute].spent += max(0, service.spent - spent)
            result.extra += max(0, asked - 1)
            for step in report.steps { result.steps["\(step)", default: 0] += 1 }
            guard case .success = answer, let mode = report.mode else { return result.minutes[minute].failed += 1 }
            result.minutes[minute].answered[mode.tier, default: 0] += 1
            if mode.isDegraded, mode.reason == nil || report.steps.isEmpty { result.silent += 1 }
            if mode.kind != .deferral { result.seconds.append(seconds) }
        }
    }
}
