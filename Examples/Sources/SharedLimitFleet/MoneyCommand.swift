import ArgumentParser
import Foundation
import SpillwayCore

/// Processes share a day's budget of money, and are killed and replaced while they spend it.
struct MoneyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "money",
        abstract: "Processes share a day's budget, and are killed and replaced while they spend it.")

    @Option(help: "How many processes share the budget.") var processes = 4
    @Option(help: "The budget in nano-dollars.") var budget: Int64 = 20_000_000_000
    @Option(help: "How often one of them is killed.") var kills = 12

    func run() async throws {
        let result = try await MoneyRun(processes, budget, kills).result()
        print(
            "\(result.kills) killed, budget \(budget), spent \(result.spent), leases of the dead at most \(result.out)")
        if result.spent > budget + result.out { throw ExitCode.failure }
    }
}

/// What came of such a run.
struct MoneyRun {
    let processes: Int
    let budget: Int64
    let kills: Int

    init(_ processes: Int, _ budget: Int64, _ kills: Int) {
        self.processes = processes
        self.budget = budget
        self.kills = kills
    }

    func result() async throws -> (spent: Int64, out: Int64, kills: Int) {
        let time = SystemTime(), server = try Server()
        func start() throws -> Worker { try Worker([server.url, "--budget", "\(budget)"]) }
        var workers = try (0..<processes).map { _ in try start() }, dead: [Worker] = []
        // A server that has just been started gives nothing for as long as a lease lasts.
        try await time.sleep(for: .seconds(2))
        for round in 0..<kills {
            try await time.sleep(for: .milliseconds(150))
            let one = round % processes
            workers[one].kill()
            dead.append(workers[one])
            workers[one] = try start()
        }
        // The leases of the dead are over, and what they had not spent is spent by the others.
        try await time.sleep(for: .seconds(3))
        for worker in workers { worker.end() }
        // What it has inherited of the workers' outputs would keep them open.
        server.kill()
        var spent: Int64 = 0, out: Int64 = 0
        for worker in workers { spent += await worker.lines().last?.spent ?? 0 }
        for worker in dead {
            let last = await worker.lines().last
            spent += last?.spent ?? 0
            out += last?.peak ?? 0
        }
        return (spent, out, dead.count)
    }
}
