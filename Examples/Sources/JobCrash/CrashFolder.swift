import Foundation
import GRDB
import SpillwaySQLite

/// The files of some rounds, the processes that share them, and what these were told.
final class CrashFolder {
    private struct Worker {
        let process: Process
        let output: String
        /// What it was to submit again.
        let again: [String]
    }

    let path: String
    private(set) var receipts: [Receipt] = []
    private(set) var processes = 0
    private var workers: [Worker] = []
    /// Keys of which nobody knows whether they were accepted.
    private var unknown: [String] = []

    init(in place: String) async throws {
        let folder = URL(fileURLWithPath: place).appendingPathComponent("job-crash-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
        try Provider.make(Work.provider(path))
        try await SQLiteJobStore(Work.jobs(path)).close()
        try Recount.watch(Work.jobs(path))
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Starts a process that submits and works; it is told of what the last one left behind.
    func start(isFull: Bool, drains: Bool = false) throws {
        let process = Process(), output = path + "/receipts-\(processes)"
        process.executableURL = try Self.program()
        process.arguments =
            ["work", path, "--number", "\(processes)"] + unknown.flatMap { ["--again", $0] }
            + (isFull ? ["--is-full"] : []) + (drains ? ["--drains"] : [])
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        try process.run()
        processes += 1
        workers.append(Worker(process: process, output: output, again: unknown))
        unknown = []
    }

    var count: Int { workers.count }

    /// Kills one of the processes, and reads what it was told.
    func kill(_ index: Int) throws {
        let worker = workers.remove(at: index)
        let hasEnded = !worker.process.isRunning
        Foundation.kill(worker.process.processIdentifier, SIGKILL)
        worker.process.waitUntilExit()
        if hasEnded { throw WorkerEnded(status: worker.process.terminationStatus) }
        try read(worker)
    }

    /// Stops one of the processes for a while, as a machine does that is out of memory.
    func stop(_ index: Int, for pause: Duration) async throws {
        let process = workers[index].process.processIdentifier
        Foundation.kill(process, SIGSTOP)
        try await Task.sleep(for: pause)
        Foundation.kill(process, SIGCONT)
    }

    /// Lets processes that submit nothing do what is left; false: they did not end it in `limit`.
    func drain(within limit: Duration) async throws -> Bool {
        let end = ContinuousClock.now + limit
        for _ in 0..<2 { try start(isFull: false, drains: true) }
        while workers.contains(where: { $0.process.isRunning }), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        let hasEnded = !workers.contains { $0.process.isRunning }
        for worker in workers {
            if worker.process.isRunning { Foundation.kill(worker.process.processIdentifier, SIGKILL) }
            worker.process.waitUntilExit()
            if hasEnded, worker.process.terminationStatus != 0 {
                throw WorkerEnded(status: worker.process.terminationStatus)
            }
            try read(worker)
        }
        workers = []
        return hasEnded
    }

    private func read(_ worker: Worker) throws {
        let text = try String(contentsOfFile: worker.output, encoding: .utf8)
        let told = text.split(separator: "\n").compactMap { Receipt($0) }
        var tried = worker.again
        for receipt in told {
            switch receipt {
            case .tried(let key): if !tried.contains(key) { tried.append(key) }
            case .accepted(let key, _): tried.removeAll { $0 == key }
            default: break
            }
        }
        unknown += tried
        receipts += told
    }

    /// This program, or the one beside a test that has it in itself.
    private static func program() throws -> URL {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        if own.lastPathComponent == "JobCrash" { return own }
        // A test runs in the folder of what was built, or in a bundle there.
        let folders = [Bundle.main.bundleURL, Bundle(for: CrashFolder.self).bundleURL.deletingLastPathComponent()]
        let places = folders.map { $0.appendingPathComponent("JobCrash") }
        return places.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? own
    }
}

/// A worker ended before it was killed.
struct WorkerEnded: Error {
    let status: Int32
}
