import SpillwayCore
import SpillwayTesting
import Testing

@testable import ModelRouting

/// Processes that come, hang, are cut off and die, under every schedule that a seed makes.
@Suite(.timeLimit(.minutes(2))) struct JobPropertyTests {
    private static let configuration = JobQueue.Configuration.test {
        ($0.lease, $0.attempts, $0.longestRun) = (.seconds(9), 4, .seconds(60))
        ($0.firstPause, $0.longestPause, $0.expires) = (.seconds(1), .seconds(10), .seconds(900))
    }

    /// A process: its own view of the store, and a worker.
    private static func process(
        _ store: SeenStore, _ simulation: Simulation
    ) throws -> (JobQueue, Task<Void, any Error>) {
        let queue = try simulation.queue("jobs", configuration, store), random = simulation.random
        let worker = simulation.start("worker") {
            try await queue.work(upTo: 2) { run in
                let dice = random.next() % 100
                run.progress(Double(dice) / 100)
                // Some do not hear that they are cancelled.
                if dice < 10 {
                    try? await simulation.time.sleep(for: .seconds(20))
                } else {
                    try await simulation.time.sleep(for: .milliseconds(Int64(random.next() % 30_000)))
                }
                switch dice % 10 {
                case 0: throw RunFailure(.neutral(.invalidRequest))
                case 1, 2: throw RunFailure(.failure(.timeout))
                case 3: throw Rejection(by: GateName(registering: "g"), reason: .rateLimited)
                default: return [UInt8(truncatingIfNeeded: random.next())]
                }
            }
        }
        return (queue, worker)
    }

    @Test func `no job is lost, and none is done twice`() async throws {
        try await Simulation.check(seeds: 0..<100) { simulation in
            let store = SeenStore(), random = simulation.random, time = simulation.time
            var processes = try (0..<3).map { _ in
                let seen = store.other()
                return (seen, try Self.process(seen, simulation))
            }
            let client = try simulation.queue("jobs", Self.configuration, store)
            var keys: [String: JobID] = [:], cancelled: Set<JobID> = []
            for step in 0..<60 {
                try await time.sleep(for: .milliseconds(Int64(random.next() % 3_000)))
                let place = Int(random.next() % 3)
                switch random.next() % 12 {
                case 0:
                    // It dies, and another comes for it.
                    processes[place].0.failure.change { $0 = StoreError(.closed, "dead") }
                    processes[place].1.1.cancel()
                    let seen = store.other()
                    processes[place] = (seen, try Self.process(seen, simulation))
                case 1:
                    let seen = processes[place].0
                    seen.failure.change { $0 = StoreError(.other, "cut off") }
                    simulation.start("mend") {
                        try await time.sleep(for: .seconds(Int64(random.next() % 20)))
                        seen.failure.change { if $0?.kind == .other { $0 = nil } }
                    }
                case 2:
                    // It ends in order.
                    processes[place].1.1.cancel()
                    processes[place].1 = try Self.process(processes[place].0, simulation)
                case 3:
                    if let id = keys.values.map(\.description).sorted().first.flatMap({ JobID($0) }) {
                        if try await client.cancel(id)?.state == .cancelled { cancelled.insert(id) }
                    }
                default:
                    let key = "key-\(random.next() % 30)", payload = Array(key.utf8)
                    let job = try await client.submit(
                        payload, key: key, tenant: "t", criticality: Criticality(rawValue: UInt8(step % 4)))
                    try #require(keys.updateValue(job.id, forKey: key) ?? job.id == job.id)
                }
            }
            for (seen, _) in processes { seen.failure.change { if $0?.kind == .other { $0 = nil } } }
            for id in keys.values {
                let job = try await client.ended(id), results = store.effects.value.finished[id] ?? []
                try #require(job.runs <= 4)
                switch job.state {
                case .done(let result): try #require(results == [result])
                case .cancelled: try #require(cancelled.contains(id) && results.isEmpty)
                case .failed, .expired: try #require(results.isEmpty)
                default: throw JobError.notFound
                }
                if cancelled.contains(id) { try #require(job.state == .cancelled) }
            }
            let counts = try await client.counts()
            try #require(counts.waiting == 0 && counts.running == 0 && counts.ended == keys.count)
            for (_, (_, worker)) in processes { worker.cancel() }
        }
    }
}
