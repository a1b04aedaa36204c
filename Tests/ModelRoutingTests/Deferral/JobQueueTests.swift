import SpillwayCore
import SpillwayTesting
import Testing

@testable import ModelRouting

/// Submitting, asking and cancelling.
@Suite(.timeLimit(.minutes(2))) struct JobQueueTests {
    let simulation = Simulation(seed: 1)

    @Test func `a job waits, in its place, until somebody cancels it`() throws {
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let first = try await queue.submit([1], tenant: "acme")
            let second = try await queue.submit([2], key: "k", tenant: "acme", criticality: .sheddable)
            #expect(first.state == .queued(ahead: 0))
            #expect(second.state == .queued(ahead: 1))
            #expect(first.criticality == .critical && second.criticality == .sheddable)
            #expect(first.submitted == wallNoon + 1_000_000_000)
            #expect(first.expires == first.submitted + 86_400_000_000_000)
            #expect(try await queue.job(second.id) == second)
            #expect(try await queue.cancel(first.id)?.state == .cancelled)
            #expect(try await queue.cancel(first.id)?.state == .cancelled)
            #expect(try await queue.job(second.id)?.state == .queued(ahead: 0))
            let counts = try await queue.counts()
            #expect(counts.waiting == 1 && counts.running == 0 && counts.ended == 1)
        }
    }

    @Test func `a key makes one job, and names one payload`() throws {
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let job = try await queue.submit([1, 2], key: "k", tenant: "acme")
            simulation.time.advance(by: .seconds(5))
            #expect(try await queue.submit([1, 2], key: "k", tenant: "acme") == job)
            await #expect(throws: JobError.keyReused(job.id)) {
                try await queue.submit([1, 3], key: "k", tenant: "acme")
            }
            await #expect(throws: JobError.keyReused(job.id)) { try await queue.submit([], key: "k", tenant: "acme") }
            #expect(try await queue.submit([1, 3], key: "k", tenant: "other").id != job.id)
            #expect(try await queue.submit([1, 2], tenant: "acme").id != job.id)
            // Also when it has ended.
            try await queue.cancel(job.id)
            #expect(try await queue.submit([1, 2], key: "k", tenant: "acme").state == .cancelled)
        }
    }

    @Test func `nobody sees the job of another tenant, or of another queue`() throws {
        try simulation.run { [simulation] in
            let store = MemoryJobStore(), queue = try simulation.queue("jobs", store)
            let job = try await queue.submit([1], tenant: "acme")
            #expect(try await queue.job(job.id, tenant: "acme")?.id == job.id)
            #expect(try await queue.job(job.id, tenant: "other") == nil)
            #expect(try await queue.job(job.id, tenant: "") == nil)
            #expect(try await queue.cancel(job.id, tenant: "other") == nil)
            let other = try simulation.queue("other", store)
            #expect(try await other.job(job.id) == nil)
            #expect(try await other.cancel(job.id) == nil)
            await #expect(throws: JobError.notFound) {
                for try await _ in queue.changes(of: job.id, tenant: "other") {}
            }
            #expect(try await queue.job(job.id)?.state == .queued(ahead: 0))
        }
    }

    @Test func `what is too large is refused, and so is one too many`() throws {
        try simulation.run { [simulation] in
            let configuration = JobQueue.Configuration.test { ($0.mostPayload, $0.mostOpen) = (4, 2) }
            let queue = try simulation.queue("jobs", configuration, MemoryJobStore())
            await #expect(throws: JobError.tooLarge("payload", bytes: 5, most: 4)) {
                try await queue.submit([1, 2, 3, 4, 5])
            }
            let long = String(repeating: "ü", count: 101)
            await #expect(throws: JobError.tooLarge("key", bytes: 202, most: 200)) {
                try await queue.submit([], key: long)
            }
            await #expect(throws: JobError.tooLarge("tenant", bytes: 202, most: 200)) {
                try await queue.submit([], tenant: long)
            }
            try await queue.submit([])
            let last = try await queue.submit([1, 2, 3, 4])
            let error = await #expect(throws: JobError.self) { try await queue.submit([]) }
            guard case .rejected(let rejection) = error else { throw error! }
            #expect(rejection.reason == .queueFull && rejection.gate.description == "jobs")
            try await queue.cancel(last.id)
            try await queue.submit([])
            try queue.update(.test { $0.mostOpen = 3 })
            try await queue.submit([])
        }
    }

    @Test func `a job expires without anybody looking after the queue`() throws {
        try simulation.run { [simulation] in
            let configuration = JobQueue.Configuration.test { $0.keeps = .seconds(100) }
            let queue = try simulation.queue("jobs", configuration, MemoryJobStore())
            let job = try await queue.submit([1], expires: .seconds(10))
            simulation.time.advance(by: .milliseconds(9_999))
            #expect(try await queue.job(job.id)?.state == .queued(ahead: 0))
            simulation.time.advance(by: .milliseconds(1))
            #expect(try await queue.job(job.id)?.state == .expired)
            #expect(try await queue.cancel(job.id)?.state == .expired)
            #expect(try await queue.ended(job.id).state == .expired)
            _ = try await queue.counts()
            simulation.time.advance(by: .seconds(100))
            #expect(try await queue.job(job.id) == nil)
            #expect(try await queue.counts() == JobCounts(waiting: 0, running: 0, ended: 0, due: nil))
        }
    }

    @Test func `a job matters as much as the task that submits it`() throws {
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let job = try await Criticality.sheddablePlus.bound { try await queue.submit([]) }
            #expect(job.criticality == .sheddablePlus)
        }
    }

    @Test func `a store that fails says so, and is asked again`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", store)
            let failure = StoreError(.full, "no room")
            store.failure.change { $0 = failure }
            await #expect(throws: JobError.store(failure)) { try await queue.submit([]) }
            #expect(queue.storeFailure == failure)
            store.failure.change { $0 = nil }
            let job = try await queue.submit([])
            #expect(queue.storeFailure == nil)
            store.failure.change { $0 = failure }
            await #expect(throws: JobError.store(failure)) { try await queue.job(job.id) }
            await #expect(throws: JobError.store(failure)) { try await queue.cancel(job.id) }
            await #expect(throws: JobError.store(failure)) { for try await _ in queue.changes(of: job.id) {} }
        }
    }

    @Test func `who follows a job is forgotten when he stops, or is cancelled`() throws {
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let job = try await queue.submit([])
            for try await _ in queue.changes(of: job.id) { break }
            #expect(queue.desk.withLock { $0.watchers.isEmpty })
            let follower = simulation.start { for try await _ in queue.changes(of: job.id) {} }
            try await simulation.time.sleep(for: .seconds(10))
            #expect(queue.desk.withLock { $0.watchers.count } == 1)
            follower.cancel()
            await #expect(throws: CancellationError.self) { try await follower.value }
            #expect(queue.desk.withLock { $0.watchers.isEmpty })
        }
    }

    @Test(arguments: 0..<16)
    func `a configuration that cannot work is refused, and the old one stays`(number: Int) throws {
        let bad = JobQueue.Configuration.test { configuration in
            switch number {
            case 0: configuration.lease = .milliseconds(9)
            case 1: configuration.lease = .seconds(86_401)
            case 2: configuration.expires = .zero
            case 3: configuration.expires = .seconds(400 * 86_400)
            case 4: configuration.attempts = 0
            case 5: configuration.attempts = 1_001
            case 6: configuration.longestRun = .zero
            case 7: configuration.firstPause = .seconds(-1)
            case 8: configuration.longestPause = .milliseconds(999)
            case 9: configuration.longestPause = .seconds(86_401)
            case 10: configuration.keeps = .zero
            case 11: configuration.mostOpen = 0
            case 12: configuration.mostEnded = 0
            case 13: configuration.mostPayload = -1
            case 14: configuration.mostResult = 257 << 20
            default: configuration.interval = .zero
            }
        }
        let queue = try JobQueue("jobs", store: MemoryJobStore())
        #expect(throws: ConfigurationError.self) { try queue.update(bad) }
        #expect(queue.configuration == JobQueue.Configuration())
        #expect(throws: ConfigurationError.self) { _ = try JobQueue("jobs", bad, store: MemoryJobStore()) }
        #expect(throws: ConfigurationError.self) { _ = try JobQueue("", store: MemoryJobStore()) }
    }

    @Test func `a name is 32 digits, there and back, and no two are the same`() throws {
        let names = Set((0..<1_000).map { _ in JobID.random() })
        #expect(names.count == 1_000)
        for name in names {
            #expect(name.description.utf8.count == 32)
            #expect(JobID(name.description) == name)
        }
        let small = "0000000000000001000000000000000a"
        #expect(JobID(small)?.description == small)
        for text in [
            "", "1", small + "0", String(small.dropLast()), small.uppercased(), String(repeating: "g", count: 32),
        ] {
            #expect(JobID(text) == nil)
        }
    }

    @Test func `a message is cut between characters`() {
        #expect(JobFailure(.timeout, String(repeating: "a", count: 500)).message.utf8.count == 500)
        #expect(JobFailure(.timeout, "a" + String(repeating: "🦊", count: 200)).message.utf8.count == 497)
        #expect(JobFailure(.timeout, "slow").description == "timeout: slow")
    }
}
