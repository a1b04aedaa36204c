import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// What workers do.
@Suite(.timeLimit(.minutes(2))) struct JobWorkTests {
    let simulation = Simulation(seed: 2)

    /// Runs a worker on one job until that has ended; returns the job, and when its runs began.
    private func ended(
        _ configuration: JobQueue.Configuration = .init(), payload: [UInt8] = [1],
        _ operation: @escaping @Sendable (JobRun) async throws -> [UInt8]
    ) throws -> (job: Job, begins: [Double]) {
        let begins = Noted<[Double]>([]), simulation = simulation
        let job = try simulation.run {
            let queue = try simulation.queue("jobs", configuration, MemoryJobStore())
            let worker = simulation.start("worker") {
                try await queue.work { run in
                    begins.change { $0.append(simulation.seconds) }
                    return try await operation(run)
                }
            }
            let job = try await queue.submit(payload)
            let end = try await queue.ended(job.id)
            worker.cancel()
            try await worker.value
            return end
        }
        return (job, begins.value)
    }

    @Test func `who follows a job sees it wait, run, go on and end`() throws {
        let states = Noted<[JobState]>([])
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let job = try await queue.submit([3, 4])
            let follower = simulation.start("follower") {
                for try await job in queue.changes(of: job.id) { states.change { $0.append(job.state) } }
            }
            try await simulation.time.sleep(for: .seconds(1))
            let worker = simulation.start("worker") {
                try await queue.work { run in
                    #expect(run.payload == [3, 4] && run.number == 1 && run.idempotencyKey == job.id.description)
                    #expect(CallContext.current?.criticality == .critical)
                    #expect(CallContext.current?.deadline == simulation.time.now.advanced(by: .seconds(3_600)))
                    for share in [0.25, .nan, 0.5, 7] {
                        try await simulation.time.sleep(for: .seconds(1))
                        run.progress(share)
                    }
                    try await simulation.time.sleep(for: .seconds(1))
                    return run.payload.reversed()
                }
            }
            try await follower.value
            worker.cancel()
            try await worker.value
        }
        #expect(
            states.value == [
                .queued(ahead: 0), .running(progress: 0), .running(progress: 0.25), .running(progress: 0),
                .running(progress: 0.5), .running(progress: 1), .done([4, 3]),
            ])
    }

    @Test func `a failed run is tried again, later and later`() throws {
        let configuration = JobQueue.Configuration.test {
            ($0.firstPause, $0.longestPause) = (.seconds(8), .seconds(20))
        }
        let (job, begins) = try ended(configuration) { run in
            #expect(run.lastFailure?.cause == (run.number == 1 ? nil : .timeout))
            if run.number < 5 { throw RunFailure(.failure(.timeout)) }
            return [5]
        }
        #expect(job.state == .done([5]) && job.runs == 5)
        let pauses = zip(begins, begins.dropFirst()).map { $1 - $0 }
        for (pause, most) in zip(pauses, [8, 16, 20, 20] as [Double]) {
            #expect((most / 2...most).contains(pause), "\(pauses)")
        }
    }

    @Test func `after its last run a job has failed, with what went wrong`() throws {
        let (job, begins) = try ended(.test { $0.attempts = 3 }) { _ in throw RunFailure(.failure(.serverError)) }
        #expect(begins.count == 3 && job.runs == 3)
        guard case .failed(let failure) = job.state else { throw JobError.notFound }
        #expect(failure.cause == .serverError && failure.message.contains("server_error"))
    }

    @Test(arguments: [Outcome.Cause.invalidRequest, .contextTooLong, .contentFiltered, .authentication])
    func `what would fail again fails at once`(cause: Outcome.Cause) throws {
        let (job, begins) = try ended { _ in throw RunFailure(.of(cause)) }
        #expect(begins.count == 1)
        guard case .failed(let failure) = job.state else { throw JobError.notFound }
        #expect(failure.cause == cause)
    }

    @Test func `a target that asks for a pause gets it`() throws {
        let (job, begins) = try ended { run in
            if run.number == 1 { throw RunFailure(.failure(.overloaded, retryAfter: .seconds(120))) }
            return []
        }
        #expect(job.state == .done([]))
        #expect(begins[1] - begins[0] >= 120)
    }

    @Test func `what a gate of our own refused was no run`() throws {
        let refusals = Noted(0)
        let (job, begins) = try ended(.test { $0.attempts = 1 }) { run in
            #expect(run.number == 1)
            guard refusals.value == 20 else {
                refusals.change { $0 += 1 }
                throw Rejection(by: GateName(registering: "g"), reason: .rateLimited, retryAfter: .seconds(3))
            }
            return [1]
        }
        #expect(job.state == .done([1]) && job.runs == 1)
        #expect(begins.count == 21 && begins[20] >= 60)
    }

    @Test func `a run that takes too long is cancelled, and has failed`() throws {
        let configuration = JobQueue.Configuration.test { ($0.longestRun, $0.attempts) = (.seconds(90), 1) }
        let (job, begins) = try ended(configuration) { [simulation] _ in
            try await simulation.time.sleep(for: .seconds(100_000))
            return []
        }
        guard case .failed(let failure) = job.state else { throw JobError.notFound }
        #expect(failure.cause == .timeout && begins == [0])
        #expect((90..<92).contains(simulation.seconds))
    }

    @Test func `a result that is too large is a failure, once`() throws {
        let (job, begins) = try ended(.test { $0.mostResult = 3 }) { _ in [1, 2, 3, 4] }
        guard case .failed(let failure) = job.state else { throw JobError.notFound }
        #expect(failure.cause == .unacceptable && begins.count == 1)
        #expect(
            try JobWorkTests().ended(.test { $0.mostResult = 3 }) { _ in [1, 2, 3] }.job.state == .done([1, 2, 3]))
    }

    @Test func `nothing is begun while load or price forbid it, and jobs expire meanwhile`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", store)
            let hasty = try await queue.submit([1], expires: .seconds(20)), patient = try await queue.submit([2])
            let worker = simulation.start("worker") {
                try await queue.work(when: { $0 >= Instant(nanoseconds: 101_000_000_000) }) { $0.payload }
            }
            #expect(try await queue.ended(hasty.id).state == .expired)
            #expect(store.effects.value.takes == 0)
            #expect(try await queue.counts().ended == 1)
            #expect(try await queue.ended(patient.id).state == .done([2]))
            #expect((100..<103).contains(simulation.seconds))
            worker.cancel()
            try await worker.value
        }
    }

    @Test func `so many runs at once, and no more`() throws {
        let running = Noted(0), most = Noted(0)
        try simulation.run { [simulation] in
            let queue = try simulation.queue("jobs", MemoryJobStore())
            let worker = simulation.start("worker") {
                try await queue.work(upTo: 3) { run in
                    running.change { $0 += 1 }
                    most.change { $0 = max($0, running.value) }
                    try await simulation.time.sleep(for: .seconds(10))
                    running.change { $0 -= 1 }
                    return run.payload
                }
            }
            var ids: [JobID] = []
            for number in 0..<9 { ids.append(try await queue.submit([UInt8(number)]).id) }
            for (number, id) in ids.enumerated() { #expect(try await queue.ended(id).state == .done([UInt8(number)])) }
            #expect((30..<32).contains(simulation.seconds))
            worker.cancel()
            try await worker.value
            await #expect(throws: ConfigurationError.self) { try await queue.work(upTo: 0) { _ in [] } }
        }
        #expect(most.value == 3)
    }
}
