import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// The example of the module's page, word for word.
@Suite(.timeLimit(.minutes(2))) struct JobExampleTests {
    func submit(_ body: [UInt8], key: String?, in jobs: JobQueue) async throws -> JobID {
        // The same key gives the same job, so that whoever does not know whether it was accepted may ask again.
        try await jobs.submit(body, key: key, tenant: "acme", criticality: .sheddable).id
    }

    func work(on jobs: JobQueue, isQuiet: @escaping @Sendable () -> Bool) async throws {
        // For as long as the service runs. A worker that ends gives back what it has.
        try await jobs.work(upTo: 4, when: { _ in isQuiet() }) { run in
            run.progress(0.5)
            return Array(run.payload.reversed())
        }
    }

    func follow(_ id: JobID, in jobs: JobQueue) async throws {
        for try await job in jobs.changes(of: id, tenant: "acme") {
            switch job.state {
            case .queued(let ahead): print("\(ahead) before it")
            case .running(let progress): print("\(Int(progress * 100)) %")
            case .done(let result): print("\(result.count) bytes")
            case .failed(let failure): print("failed: \(failure)")
            case .expired, .cancelled: print(job.state)
            }
        }
    }

    @Test func `a job is done when it is quiet`() throws {
        let simulation = Simulation(seed: 4)
        try simulation.run {
            let jobs = try simulation.queue("chat", MemoryJobStore())
            let worker = simulation.start("worker") { try await work(on: jobs) { simulation.seconds > 30 } }
            let id = try await submit([1, 2, 3], key: "k", in: jobs)
            #expect(try await submit([1, 2, 3], key: "k", in: jobs) == id)
            try await follow(id, in: jobs)
            #expect(try await jobs.job(id)?.state == .done([3, 2, 1]))
            #expect(simulation.seconds > 30)
            worker.cancel()
            try await worker.value
        }
    }
}
