import ArgumentParser
import Foundation
import ModelRouting
import SpillwayCore

/// Submits jobs and does them until it is killed, and says on its output what the queue has acknowledged.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Submits jobs and does them until it is killed.", shouldDisplay: false)

    /// So many submit at once.
    private static let submitters = 3

    @Argument var folder: String
    @Option(help: "Which process of all it is: no other submits the same keys.") var number: Int
    @Option(help: "Keys of which nobody knows whether they were accepted.") var again: [String] = []
    @Flag var isFull = false
    @Flag(help: "Submit nothing new, and end when no job is left.") var drains = false

    func run() async throws {
        let queue = try await Work.open(folder, isFull: isFull), provider = try Provider(Work.provider(folder))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.work(upTo: 6) { try await Self.operation($0, provider) } }
            for submitter in 0..<(drains ? 1 : Self.submitters) {
                let again = self.again.enumerated().filter { drains || $0.offset % Self.submitters == submitter }
                group.addTask {
                    for (_, key) in again { try await Self.submit(key, to: queue) }
                    guard !drains else { return try await Self.waitForEnd(of: queue) }
                    var count = 0
                    while true {
                        try await Self.submit("\(number)-\(submitter)-\(count)", to: queue)
                        count += 1
                    }
                }
            }
            // The one that drains ends; nobody else does.
            while try await group.next() != nil, !drains {}
            group.cancelAll()
        }
    }

    private static func waitForEnd(of queue: JobQueue) async throws {
        while case let counts = try await queue.counts(), counts.waiting + counts.running > 0 {
            try await SystemTime().sleep(for: .milliseconds(20))
        }
    }

    /// Submits until the job is accepted, and follows some to their ends.
    private static func submit(_ key: String, to queue: JobQueue) async throws {
        say(.tried(key))
        let fate = Work.Fate(key), payload = Work.payload(key), dice = Work.number(of: key) >> 8
        while true {
            do throws(JobError) {
                let job = try await queue.submit(
                    payload, key: key, tenant: "tenant-\(dice % 3)",
                    criticality: Criticality(rawValue: UInt8(dice % 4)),
                    expires: fate == .isHasty ? .milliseconds(30) : nil)
                say(.accepted(key, job.id.description))
                if fate == .isCancelled {
                    try await wait(.milliseconds(Int64(dice % 40)))
                    if try await queue.cancel(job.id)?.state == .cancelled { say(.cancelled(job.id.description)) }
                } else if dice % 16 == 0 {
                    try await follow(job.id, in: queue)
                }
                return
            } catch {
                guard case .rejected = error else {
                    if case .store(let failure) = error, failure.kind == .inUse { continue }
                    throw error
                }
                say(.refused)
                try await wait(.milliseconds(5))
            }
        }
    }

    /// A wait that nobody cancels.
    private static func wait(_ duration: Duration) async throws(JobError) {
        try? await SystemTime().sleep(for: duration)
    }

    private static func follow(_ id: JobID, in queue: JobQueue) async throws(JobError) {
        var changes = queue.changes(of: id).makeAsyncIterator()
        while let job = try? await changes.next() {
            guard case .done(let result) = job.state else { continue }
            say(.done(id.description, String(decoding: result, as: UTF8.self)))
        }
    }

    /// One run of a job, which takes some milliseconds, or some dozens.
    private static func operation(_ run: JobRun, _ provider: Provider) async throws -> [UInt8] {
        guard let key = Work.key(run.payload) else { throw WorkFailure(outcome: .neutral(.malformed)) }
        let dice = Work.number(of: "\(key) \(run.number)")
        switch Work.Fate(key) {
        case .isHopeless: throw WorkFailure(outcome: .neutral(.invalidRequest))
        case .stumbles where run.lastFailure == nil && run.number == 1: throw WorkFailure(outcome: .failure(.timeout))
        default: break
        }
        run.progress(0.25)
        try await SystemTime().sleep(for: .milliseconds(Int64(dice % (dice % 8 == 0 ? 100 : 10))))
        let answer = try await provider.call(run.idempotencyKey, "\(key)/\(getpid())/\(UInt64.random(in: 0...(.max)))")
        // Between what the provider did and what the queue is told.
        try await SystemTime().sleep(for: .milliseconds(Int64((dice >> 8) % 10)))
        return Array(answer.utf8)
    }

    /// One write of few bytes: a receipt is there whole, or not at all.
    private static func say(_ receipt: Receipt) {
        let bytes = Array(receipt.line.utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// A run that fails as planned.
struct WorkFailure: OutcomeError {
    let outcome: Outcome
}
