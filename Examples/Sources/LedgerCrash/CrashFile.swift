import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite

/// A ledger's file, and what workers were told of it.
final class CrashFile {
    let path: String
    private let folder: URL
    private var receipts: [Receipt] = []
    private var numbers: Set<UInt64> = []
    /// Postings that were there after the last round.
    private var known = 0

    init(in place: String) throws {
        folder = URL(fileURLWithPath: place).appendingPathComponent("ledger-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appendingPathComponent("ledger.sqlite").path
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// Lets a worker work, kills it, and looks at the file; returns what was done, and what is wrong.
    func round(_ work: Work, killedAfter pause: Duration) async throws -> (Tally, [String]) {
        let told = try await receipts(of: work, killedAfter: pause)
        var tally = Tally(), problems: [String] = []
        tally.kills = 1
        tally.early = told.contains(.opened) ? 0 : 1
        for receipt in told {
            switch receipt {
            case .opened: break
            case .refused: tally.refused += 1
            case .held: tally.held += 1
            case .voided(let number):
                tally.voided += 1
                if !numbers.insert(number).inserted { problems.append("number \(number) was given twice") }
            case .settled(let number, _):
                tally.settled += 1
                if !numbers.insert(number).inserted { problems.append("number \(number) was given twice") }
            }
        }
        receipts += told.filter { $0 != .opened && $0 != .refused }
        if FileManager.default.fileExists(atPath: path) {
            let found: Recount
            do { found = try await Recount(path) } catch let error as StoreError
                where tally.early == 1 && known == 0
            {
                // Killed before there was a ledger in the file.
                return error.kind == .corrupt ? (tally, problems) : (tally, problems + ["\(error)"])
            }
            problems += found.problems(receipts)
            problems += try await goOn(work, found)
            tally.postings = found.count - known
            tally.suspended = found.openAtDeath
            known = found.count
        }
        return (tally, problems)
    }

    /// Opens a ledger on what is left, compares, and resolves some of what nobody knows.
    private func goOn(_ work: Work, _ found: Recount) async throws -> [String] {
        let (ledger, store) = try await work.open(path)
        var problems = ledger.audit()
        let suspended = ledger.suspended()
        if Set(suspended.map(\.number)) != found.open { problems.append("other holds are in suspense than were open") }
        let random = RandomSource.seeded(work.seed)
        for posting in suspended where random.next() % 4 != 0 {
            let cost = random.next() % 2 == 0 ? nil : Money(nanodollars: Int64(random.next() % 500))
            ledger.resolve(posting.number, cost: cost, at: SystemTime().now)
        }
        try await ledger.stored()
        problems += ledger.audit()
        try await store.close()
        return problems
    }

    /// Runs a worker until it is killed; returns what it was told.
    private func receipts(of work: Work, killedAfter pause: Duration) async throws -> [Receipt] {
        let process = Process(), output = Pipe()
        process.executableURL = try Self.program()
        process.arguments =
            ["work", path, "--seed", "\(work.seed)", "--round", "\(work.round)"]
            + (work.waitsForHolds ? ["--waits-for-holds"] : []) + (work.isFull ? ["--is-full"] : [])
        process.standardOutput = output
        let start = ContinuousClock.now
        try process.run()
        let reading = Task.detached { output.fileHandleForReading.readDataToEndOfFile() }
        try await Task.sleep(until: start + pause, clock: .continuous)
        let hasEnded = !process.isRunning
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let text = String(decoding: await reading.value, as: UTF8.self)
        if hasEnded { throw WorkerEnded(status: process.terminationStatus) }
        return text.split(separator: "\n").compactMap { Receipt($0) }
    }

    /// This program, or the one beside a test that has it in itself.
    private static func program() throws -> URL {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        if own.lastPathComponent == "LedgerCrash" { return own }
        // A test runs in the folder of what was built, or in a bundle there.
        let folders = [Bundle.main.bundleURL, Bundle(for: CrashFile.self).bundleURL.deletingLastPathComponent()]
        let places = folders.map { $0.appendingPathComponent("LedgerCrash") }
        return places.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? own
    }
}

/// A worker ended before it was killed.
struct WorkerEnded: Error {
    let status: Int32
}
