import ArgumentParser
import Foundation
import SpillwayCore

/// Processes share a rate, and the server is killed and started again.
struct RateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate", abstract: "Processes share a rate, and the server is killed and started again.")

    @Option(help: "How many processes share the limit.") var processes = 4
    @Option(help: "Units a second for all of them.") var rate = 1_000.0
    @Option(help: "The share of the rate that each may spend while the server is away.") var fallback = 0.0
    @Option(help: "Seconds of each of the three phases: up, away, up again.") var seconds = 5.0

    func run() async throws {
        let result = try await RateRun(processes, rate, fallback, seconds).result()
        for phase in result.phases {
            let share = Double(phase.spent) / (rate * phase.seconds) * 100
            print(
                "\(phase.name.padding(toLength: 12, withPad: " ", startingAt: 0))"
                    + String(format: "%6.2f s %8d units %7.2f %% of the limit  ", phase.seconds, phase.spent, share)
                    + "\(phase.each)")
        }
        print(
            String(
                format: "all: %d units; the limit while up and the shares while away allow %.0f", result.spent,
                result.allowed))
        if Double(result.spent) > result.allowed { throw ExitCode.failure }
    }
}

/// What came of such a run.
struct RateRun {
    struct Phase {
        let name: String
        let seconds: Double
        let spent: Int64
        let each: [Int64]
    }

    struct Result {
        let phases: [Phase]
        let spent: Int64
        let allowed: Double
    }

    let processes: Int
    let rate: Double
    let fallback: Double
    let seconds: Double

    init(_ processes: Int, _ rate: Double, _ fallback: Double, _ seconds: Double) {
        self.processes = processes
        self.rate = rate
        self.fallback = fallback
        self.seconds = seconds
    }

    func result() async throws -> Result {
        let time = SystemTime(), server = try Server(), began = time.now
        let workers = try (0..<processes).map { _ in
            try Worker([server.url, "--rate", "\(rate)", "--fallback", "\(fallback)"])
        }
        // What the first second brings is how they start.
        try await time.sleep(for: .seconds(1))
        var marks: [(String, Int64, Int64)] = []
        func phase(_ name: String, after settling: Double) async throws {
            try await time.sleep(for: .nanoseconds(Int64(settling * 1e9)))
            let from = time.now.nanoseconds
            try await time.sleep(for: .nanoseconds(Int64(seconds * 1e9)))
            marks.append((name, from, time.now.nanoseconds))
        }
        try await phase("up", after: 0)
        server.kill()
        try await phase("away", after: 0)
        try server.start()
        // Each comes back within its own backoff.
        try await phase("up again", after: 1)
        for worker in workers { worker.end() }
        let elapsed = Double(began.duration(to: time.now).components.seconds) + 1
        let up = server.upTime
        server.kill()
        var lines: [[Worker.Line]] = []
        for worker in workers { lines.append(await worker.lines()) }
        let phases = marks.map { name, from, to in
            let each = lines.map { $0.spent(by: to) - $0.spent(by: from) }
            return Phase(name: name, seconds: Double(to - from) / 1e9, spent: each.reduce(0, +), each: each)
        }
        let spent = lines.map { $0.last?.spent ?? 0 }.reduce(0, +)
        // A share counts from when the process found that the server was away until it was back: at most all the time.
        let away = fallback * Double(processes) * elapsed
        return Result(phases: phases, spent: spent, allowed: rate * (up + away))
    }
}
