import ArgumentParser
import Foundation
import SpillwayCore

/// Kills a worker again and again, and checks the books each time.
struct RoundsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rounds", abstract: "Kills a worker again and again, and checks the books each time.")

    @Option(help: "How often the worker is killed.") var rounds = 500
    @Option(help: "Where the moments and the work come from.") var seed: UInt64 = 1
    @Option(help: "After how many rounds a new file is begun: the books are recounted whole after each.")
    var roundsPerFile = 25
    @Option(help: "Where the files are, while they are needed.") var folder = FileManager.default.temporaryDirectory
        .path

    func run() async throws {
        let start = ContinuousClock.now
        var total = Tally(), problems: [String] = []
        let random = RandomSource.seeded(seed)
        var file: CrashFile?
        for round in 0..<rounds {
            if round % roundsPerFile == 0 {
                file?.remove()
                file = try CrashFile(in: folder)
            }
            guard let file else { continue }
            let work = Work(
                seed: random.next(), round: round, waitsForHolds: round % 2 == 1, isFull: round / 2 % 2 == 0)
            // Most moments are early ones, where the file is opened and the last round is restored.
            let share = Double(random.next() >> 11) / Double(1 << 53)
            let pause = Duration.microseconds(Int64(5_000 + 295_000 * share * share))
            let (tally, found) = try await file.round(work, killedAfter: pause)
            total.add(tally)
            problems += found.map { "round \(round): \($0)" }
            if round % 25 == 24 || !found.isEmpty {
                note("\(round + 1) of \(rounds) rounds, \(total), \(problems.count) wrong")
            }
            if problems.count > 20 { break }
        }
        if problems.isEmpty { file?.remove() }
        let seconds = (ContinuousClock.now - start).components.seconds
        print("crash-test: killed \(total.kills) times in \(seconds) s; \(total)")
        print("crash-test: \(problems.count) violations")
        guard !problems.isEmpty else { return }
        for problem in problems { print("  \(problem)") }
        print("crash-test: seed \(seed), rounds \(rounds); the last file is \(file?.path ?? "gone")")
        throw ExitCode.failure
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("crash-test: \(text)\n".utf8)) }
}

/// What was done and found.
struct Tally: CustomStringConvertible {
    var kills = 0
    /// Killed before the worker said that its ledger was open.
    var early = 0
    var settled = 0
    var held = 0
    var voided = 0
    /// Holds that were open when the worker died.
    var suspended = 0
    var postings = 0
    var refused = 0

    mutating func add(_ other: Tally) {
        kills += other.kills
        early += other.early
        settled += other.settled
        held += other.held
        voided += other.voided
        suspended += other.suspended
        postings += other.postings
        refused += other.refused
    }

    var description: String {
        "\(settled) settlements, \(held) holds and \(voided) voids acknowledged, \(postings) postings, "
            + "\(suspended) holds found open, \(refused) refused for a limit, \(early) killed while opening"
    }
}
