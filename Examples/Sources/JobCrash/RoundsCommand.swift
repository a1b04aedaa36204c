import ArgumentParser
import Foundation
import SpillwayCore

/// Kills one of several processes again and again, and counts what is left.
struct RoundsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rounds", abstract: "Kills one of several processes again and again, and counts what is left.")

    @Option(help: "How often a process is killed.") var rounds = 200
    @Option(help: "How many processes share the queue.") var processes = 3
    @Option(help: "Where the moments come from.") var seed: UInt64 = 1
    @Option(help: "After how many rounds all is done and counted, and a new queue begun.") var roundsPerFile = 50
    @Option(help: "Where the files are, while they are needed.") var folder = FileManager.default.temporaryDirectory
        .path

    func run() async throws {
        let start = ContinuousClock.now
        var total = Tally(), problems: [String] = [], last: CrashFolder?
        let random = RandomSource.seeded(seed)
        for first in stride(from: 0, to: rounds, by: roundsPerFile) {
            let files = try await CrashFolder(in: folder)
            last = files
            for _ in first..<min(rounds, first + roundsPerFile) { try await round(files, random, &total) }
            // Those that are left are killed too.
            while files.count > 0 {
                try files.kill(0)
                total.kills += 1
            }
            if try await !files.drain(within: .seconds(600)) { problems.append("jobs were left after ten minutes") }
            let recount = try Recount(files.path)
            total.add(recount.tally, files.receipts)
            problems += recount.problems(files.receipts)
            FileHandle.standardError.write(
                Data("crash-test: \(total.kills) killed, \(total), \(problems.count) wrong\n".utf8))
            guard problems.isEmpty else { break }
            files.remove()
        }
        let seconds = (ContinuousClock.now - start).components.seconds
        print("crash-test: killed \(total.kills) times and stopped \(total.stops) times in \(seconds) s; \(total)")
        print("crash-test: \(problems.count) violations")
        guard !problems.isEmpty else { return }
        for problem in problems.prefix(20) { print("  \(problem)") }
        print("crash-test: seed \(seed), rounds \(rounds); the last files are in \(last?.path ?? "(none)")")
        throw ExitCode.failure
    }

    /// Some time passes, and a process dies; now and then one is stopped for longer than its leases last.
    private func round(_ files: CrashFolder, _ random: RandomSource, _ total: inout Tally) async throws {
        while files.count < processes { try files.start(isFull: random.next() % 2 == 0) }
        // Most moments are early ones, where a process opens the file.
        let share = Double(random.next() >> 11) / Double(1 << 53)
        try await Task.sleep(for: .microseconds(Int64(5_000 + 395_000 * share * share)))
        if random.next() % 6 == 0 {
            try await files.stop(Int(random.next() % UInt64(files.count)), for: .milliseconds(700))
            total.stops += 1
        }
        try files.kill(Int(random.next() % UInt64(files.count)))
        total.kills += 1
    }
}

/// What was done and found.
struct Tally: CustomStringConvertible {
    var kills = 0
    var stops = 0
    var accepted = 0
    var refused = 0
    var jobs = 0
    var done = 0
    var failed = 0
    var expired = 0
    var cancelled = 0
    /// How often a worker took a job.
    var taken = 0
    /// How often the provider was called, and for how many jobs.
    var calls = 0
    var charges = 0
    /// How often a job became done.
    var effects = 0

    mutating func add(_ other: Tally, _ receipts: [Receipt]) {
        for receipt in receipts {
            if case .accepted = receipt { accepted += 1 }
            if case .refused = receipt { refused += 1 }
        }
        jobs += other.jobs
        done += other.done
        failed += other.failed
        expired += other.expired
        cancelled += other.cancelled
        taken += other.taken
        calls += other.calls
        charges += other.charges
        effects += other.effects
    }

    var description: String {
        "\(accepted) acknowledgements, \(jobs) jobs: \(done) done with \(effects) effects, \(failed) failed as planned, "
            + "\(expired) expired, \(cancelled) cancelled; taken \(taken) times, \(calls) calls of the provider for "
            + "\(charges) jobs, \(refused) refused by a full queue"
    }
}
