import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// Processes that share a queue, die, hang, and go away.
@Suite(.timeLimit(.minutes(2))) struct JobLeaseTests {
    let simulation = Simulation(seed: 3)

    @Test func `a long run keeps its lease`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), one = try simulation.queue("jobs", store)
            let two = try simulation.queue("jobs", store.other())
            let workers = [one, two].map { queue in
                simulation.start("worker") {
                    try await queue.work { run in
                        try await simulation.time.sleep(for: .seconds(900))
                        return [UInt8(run.number)]
                    }
                }
            }
            let job = try await one.submit([])
            #expect(try await two.ended(job.id).state == .done([1]))
            #expect(store.effects.value.takes == 1)
            for worker in workers { worker.cancel() }
        }
    }

    @Test func `a process that is cut off loses its job to another, and knows it in time`() throws {
        try simulation.run { [simulation] in
            let mine = SeenStore(), one = try simulation.queue("jobs", mine)
            let two = try simulation.queue("jobs", mine.other()), stopped = Noted<Double?>(nil)
            let first = simulation.start("first") {
                try await one.work { run in
                    do { try await simulation.time.sleep(for: .seconds(10_000)) } catch {
                        stopped.change { $0 = simulation.seconds }
                        // It has done its work nevertheless.
                        return [1]
                    }
                    return [0]
                }
            }
            let job = try await two.submit([])
            try await simulation.time.sleep(for: .seconds(45))
            mine.failure.change { $0 = StoreError(.other, "cut off") }
            let second = simulation.start("second") { try await two.work { _ in [2] } }
            try await simulation.time.sleep(for: .seconds(120))
            mine.failure.change { $0 = nil }
            #expect(try await one.ended(job.id).state == .done([2]))
            try await simulation.time.sleep(for: .seconds(120))
            #expect(mine.effects.value.finished[job.id] == [[2]])
            // It was renewed at 40 s; from 100 s on others may have it.
            #expect(stopped.value.map { (45...100.1).contains($0) } == true)
            #expect(try await two.job(job.id)?.runs == 2)
            first.cancel()
            second.cancel()
        }
    }

    @Test func `what a process died with is done by another, after the lease`() throws {
        try simulation.run { [simulation] in
            let mine = SeenStore(), one = try simulation.queue("jobs", mine)
            let two = try simulation.queue("jobs", mine.other())
            let job = try await one.submit([])
            let first = simulation.start("first") {
                try await one.work { _ in
                    try await simulation.time.sleep(for: .seconds(10_000))
                    return []
                }
            }
            try await simulation.time.sleep(for: .seconds(1))
            mine.failure.change { $0 = StoreError(.closed, "dead") }
            first.cancel()
            _ = try? await first.value
            let second = simulation.start("second") { try await two.work { run in [UInt8(run.number)] } }
            #expect(try await two.ended(job.id).state == .done([2]))
            #expect((60..<63).contains(simulation.seconds))
            second.cancel()
        }
    }

    @Test func `a worker that ends gives its jobs back, and they count no run`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", .test { $0.attempts = 1 }, store)
            let job = try await queue.submit([])
            for _ in 0..<3 {
                let worker = simulation.start("worker") {
                    try await queue.work { _ in
                        try await simulation.time.sleep(for: .seconds(10_000))
                        return []
                    }
                }
                try await simulation.time.sleep(for: .seconds(100))
                #expect(try await queue.job(job.id)?.state == .running(progress: 0))
                worker.cancel()
                try await worker.value
                #expect(try await queue.job(job.id)?.state == .queued(ahead: 0))
                #expect(try await queue.job(job.id)?.runs == 0)
            }
            let worker = simulation.start("worker") { try await queue.work { _ in [1] } }
            #expect(try await queue.ended(job.id).state == .done([1]))
            worker.cancel()
        }
    }

    @Test(arguments: [false, true])
    func `a run whose job is cancelled is cancelled`(isElsewhere: Bool) throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", store)
            let other = try simulation.queue("jobs", store.other()), stopped = Noted<Double?>(nil)
            let worker = simulation.start("worker") {
                try await queue.work { _ in
                    do { try await simulation.time.sleep(for: .seconds(10_000)) } catch {
                        stopped.change { $0 = simulation.seconds }
                        return [1]
                    }
                    return [0]
                }
            }
            let job = try await queue.submit([])
            try await simulation.time.sleep(for: .seconds(30))
            #expect(try await (isElsewhere ? other : queue).cancel(job.id)?.state == .cancelled)
            try await simulation.time.sleep(for: .seconds(30))
            #expect(stopped.value.map { isElsewhere ? $0 <= 50.1 : $0 == 30 } == true)
            #expect(try await queue.job(job.id)?.state == .cancelled)
            // The place is free again.
            let next = try await queue.submit([])
            try await simulation.time.sleep(for: .seconds(2))
            #expect(try await queue.job(next.id)?.state == .running(progress: 0))
            worker.cancel()
            try await worker.value
        }
    }

    @Test func `a result that cannot be stored is stored when that goes again`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", store), runs = Noted(0)
            let worker = simulation.start("worker") {
                try await queue.work { _ in
                    runs.change { $0 += 1 }
                    store.failure.change { $0 = StoreError(.full, "no room") }
                    return [1]
                }
            }
            let job = try await queue.submit([])
            try await simulation.time.sleep(for: .seconds(20))
            #expect(queue.storeFailure?.kind == .full)
            store.failure.change { $0 = nil }
            #expect(try await queue.ended(job.id).state == .done([1]))
            #expect(runs.value == 1)
            worker.cancel()
            try await worker.value
        }
    }

    @Test func `a worker outlives a store that fails, but not one that is closed`() throws {
        try simulation.run { [simulation] in
            let store = SeenStore(), queue = try simulation.queue("jobs", store)
            store.failure.change { $0 = StoreError(.inUse, "busy") }
            let worker = simulation.start("worker") { try await queue.work { _ in [1] } }
            try await simulation.time.sleep(for: .seconds(60))
            // Not as fast as it can.
            #expect((10...30).contains(store.calls.value))
            store.failure.change { $0 = nil }
            let job = try await queue.submit([])
            #expect(try await queue.ended(job.id).state == .done([1]))
            let failure = StoreError(.closed, "closed")
            store.failure.change { $0 = failure }
            await #expect(throws: JobError.store(failure)) { try await worker.value }
        }
    }

    @Test(arguments: 0..<80)
    func `a worker that is cancelled at any await leaves nothing behind`(step: Int) throws {
        let simulation = Simulation(seed: UInt64(step))
        try simulation.run {
            let store = SeenStore(), queue = try simulation.queue("jobs", store)
            var ids: [JobID] = []
            for number in 0..<3 { ids.append(try await queue.submit([UInt8(number)]).id) }
            let operation: @Sendable (JobRun) async throws -> [UInt8] = { run in
                try await simulation.time.sleep(for: .seconds(25))
                run.progress(0.5)
                try await simulation.time.sleep(for: .seconds(1))
                return run.payload
            }
            let first = simulation.start("first", cancelledAtAwait: step) {
                try await queue.work(upTo: 2, operation)
            }
            let killer = simulation.start("killer") {
                try await simulation.time.sleep(for: .seconds(300))
                first.cancel()
            }
            try await first.value
            killer.cancel()
            // Nobody has to wait for a lease.
            try #require(try await queue.counts().running == 0)
            let second = simulation.start("second") { try await queue.work(upTo: 3, operation) }
            for (number, id) in ids.enumerated() {
                let job = try await queue.ended(id)
                try #require(job.state == .done([UInt8(number)]) && job.runs == 1)
                try #require(store.effects.value.finished[id]?.count == 1)
            }
            second.cancel()
            try await second.value
        }
    }
}
