import Foundation

/// One run: plays the load and the fault script side by side and collects what comes of it.
struct Session: Sendable {
    /// What a part of the run hands back.
    private enum Part: Sendable {
        case records([RequestRecord])
        case readings([RunResult.Reading])
        case nothing
    }

    /// Trace seconds between two looks at the fleet's counters.
    static let pollInterval = 5.0
    /// Trace seconds that the fleet has at the end to come to rest.
    static let patience = 60.0

    let settings: RunResult.Settings
    let trace: Trace
    let script: FaultScript
    let chat: ChatClient
    let control: ControlClient
    /// Shows a progress line about once a second.
    let showProgress: @Sendable (String) -> Void

    /// Prepares the fleet, plays the run to its end and sums it up.
    ///
    /// Throws when the control server fails; leaves the fleet without faults only when it returns.
    func run() async throws -> RunResult {
        try await control.setFaults([])
        try await control.reset()
        try await control.setPhase(.before)
        let clock = TraceClock(speed: settings.speed, start: .now)
        let (records, readings) = try await play(clock)
        let end = clock.seconds()
        let stats = try await finalStats(clock)
        try await control.setFaults([])
        return RunResult(
            settings: settings, script: script, records: records,
            readings: readings + [.init(at: end, calls: stats.totalCalls)], stats: stats)
    }

    /// The fleet's counters once it is idle: what users gave up on may still cost something, for a moment.
    private func finalStats(_ clock: TraceClock) async throws -> FleetStats {
        var stats = try await control.stats()
        let start = clock.seconds()
        while stats.unfinished > 0, clock.seconds() < start + Self.patience {
            try await clock.sleep(until: clock.seconds() + 1)
            stats = try await control.stats()
        }
        return stats
    }

    /// Runs all parts until the last request has ended.
    private func play(_ clock: TraceClock) async throws -> ([RequestRecord], [RunResult.Reading]) {
        let board = Scoreboard()
        return try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { .records(try await sendAll(clock, board)) }
            group.addTask { .readings(try await readCounters(clock)) }
            group.addTask {
                try await playScript(clock)
                return .nothing
            }
            group.addTask {
                await report(clock, board)
                return .nothing
            }
            var records: [RequestRecord] = []
            var readings: [RunResult.Reading] = []
            for try await part in group {
                switch part {
                case .records(let all):
                    records = all
                    // The other parts go on until they are told that nobody is left to serve.
                    group.cancelAll()
                case .readings(let all): readings = all
                case .nothing: break
                }
            }
            return (records, readings)
        }
    }

    /// Sends each request when it is due, whatever became of the ones before it, and waits for all to end.
    private func sendAll(_ clock: TraceClock, _ board: Scoreboard) async throws -> [RequestRecord] {
        try await withThrowingTaskGroup(of: RequestRecord.self) { group in
            for (index, item) in trace.requests.enumerated() {
                try await clock.sleep(until: item.arrival)
                group.addTask {
                    board.sent()
                    let record = await chat.send(item, index: index, clock: clock)
                    board.done(record.outcome)
                    return record
                }
            }
            var records: [RequestRecord] = []
            for try await record in group { records.append(record) }
            // An interrupt ends all requests at once; such records say nothing about the gateway.
            try Task.checkCancellation()
            return records
        }
    }

    /// Labels the phases and sets the faults at their times; returns early when cancelled.
    private func playScript(_ clock: TraceClock) async throws {
        // At the same instant the label comes first, so that a fault's first victim is in its phase.
        var actions: [(at: Double, play: @Sendable () async throws -> Void)] = [
            (script.windowStart, { try await control.setPhase(.during) }),
            (script.windowEnd, { try await control.setPhase(.after) }),
        ]
        for step in script.steps {
            let index = actions.firstIndex { $0.at > step.at } ?? actions.endIndex
            actions.insert((step.at, { try await control.setFaults(step.faults) }), at: index)
        }
        do {
            for action in actions {
                try await clock.sleep(until: action.at)
                try await action.play()
            }
        } catch is CancellationError {
            return
        }
    }

    /// Reads the call counter again and again until cancelled.
    private func readCounters(_ clock: TraceClock) async throws -> [RunResult.Reading] {
        var readings: [RunResult.Reading] = [.init(at: 0, calls: 0)]
        do {
            for turn in 1... {
                try await clock.sleep(until: Double(turn) * Self.pollInterval)
                let calls = try await control.stats().totalCalls
                readings.append(.init(at: clock.seconds(), calls: calls))
            }
        } catch is CancellationError {
            return readings
        }
        return readings
    }

    /// Shows the progress about once a real second until cancelled.
    private func report(_ clock: TraceClock, _ board: Scoreboard) async {
        let total = trace.requests.count
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            showProgress(board.line(label: settings.label, elapsed: clock.seconds(), total: total))
        }
    }
}
