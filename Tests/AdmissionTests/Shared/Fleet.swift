import Admission
import SpillwayCore
import SpillwayTesting

/// A store that several processes reach over a network that loses, delays and repeats.
final class Network: Sendable {
    struct Contents {
        var isDown = false
        /// Units that the store counts as out, for each holder, after its last request.
        var out: [UInt64: Int64] = [:]
        var requests = 0
        /// Requests that come once more, much later.
        var echoes: [LeaseRequest] = []
        var numbers: [UInt64: Int64] = [:]
        var granted: Int64 = 0
    }

    let simulation: Simulation
    let store: MemoryLeaseStore
    let faults: Double
    let contents = Locked(Contents())

    init(_ simulation: Simulation, faults: Double) {
        self.simulation = simulation
        self.faults = faults
        store = MemoryLeaseStore(time: simulation.time)
    }

    var allOut: Int64 { contents.withLock { $0.out.values.reduce(0, +) } }
    func out(_ holder: UInt64) -> Int64 { contents.withLock { $0.out[holder] ?? 0 } }

    func set(down: Bool) { contents.withLock { $0.isDown = down } }

    func chance() -> Double { Double(simulation.random.next() >> 11) / Double(1 << 53) }

    func deliver(_ request: LeaseRequest) -> LeaseReply {
        let reply = store.serve(request, at: simulation.time.now)
        contents.withLock { contents in
            contents.requests += 1
            // One with the last number again is answered again and changes nothing.
            guard !reply.isStale, request.number > contents.numbers[request.holder] ?? 0 else { return }
            contents.numbers[request.holder] = request.number
            contents.granted += reply.granted
            contents.out[request.holder] = (reply.isLapsed ? 0 : max(0, request.held)) + reply.granted
        }
        simulation.note("\(request) → \(reply)")
        return reply
    }
}

/// What one process reaches of the store.
final class Line: LeaseStore {
    struct Contents {
        var isCut = false
        var holder: UInt64 = 0
    }

    let network: Network
    let contents = Locked(Contents())

    init(_ network: Network) { self.network = network }

    func cut(_ isCut: Bool) { contents.withLock { $0.isCut = isCut } }
    var holder: UInt64 { contents.withLock { $0.holder } }

    func exchange(_ request: LeaseRequest) async throws(LeaseStoreError) -> LeaseReply {
        contents.withLock { $0.holder = request.holder }
        let simulation = network.simulation
        func pause(upTo milliseconds: Double) async {
            try? await simulation.time.sleep(for: .nanoseconds(Int64(network.chance() * milliseconds * 1e6)))
        }
        func isCut() -> Bool { contents.withLock { $0.isCut } || network.contents.withLock { $0.isDown } }
        await pause(upTo: network.faults > 0 ? 10 : 1)
        guard !isCut() else {
            await pause(upTo: 200)
            throw LeaseStoreError(.unreachable, "cut off")
        }
        guard network.faults > 0 else { return network.deliver(request) }
        if let echo = network.contents.withLock({ $0.echoes.isEmpty ? nil : $0.echoes.removeFirst() }),
            network.chance() < 0.5
        {
            _ = network.deliver(echo)
        }
        if network.chance() < network.faults {
            await pause(upTo: 500)
            throw LeaseStoreError(.timedOut, "the request was lost")
        }
        let reply = network.deliver(request)
        if network.chance() < network.faults { _ = network.deliver(request) }
        if network.chance() < network.faults { network.contents.withLock { $0.echoes.append(request) } }
        if network.chance() < network.faults || isCut() {
            await pause(upTo: 500)
            throw LeaseStoreError(.timedOut, "the answer was lost")
        }
        await pause(upTo: 10)
        return reply
    }
}

/// A process that wants more than there is.
final class Spender: Sendable {
    struct Contents {
        var spent: Int64 = 0
        var reasons: Set<Reason> = []
        var isDead = false
    }

    let line: Line
    let limit: SharedLimit
    let contents = Locked(Contents())
    private let simulation: Simulation

    init(
        _ network: Network, _ configuration: SharedLimit.Configuration, name: String = "shared"
    ) throws {
        simulation = network.simulation
        line = Line(network)
        limit = try SharedLimit(
            name, configuration, store: line, time: simulation.time, random: simulation.random)
    }

    var spent: Int64 { contents.withLock { $0.spent } }
    var reasons: Set<Reason> { contents.withLock { $0.reasons } }

    /// Takes `cost` units, and counts them.
    @discardableResult
    func take(_ cost: Int64) -> Bool {
        do throws(Rejection) {
            try limit.admit(cost: cost, at: simulation.time.now).settle(.success, at: simulation.time.now)
            contents.withLock { $0.spent += cost }
            return true
        } catch {
            contents.withLock { _ = $0.reasons.insert(error.reason) }
            return false
        }
    }

    /// Spends all that it gets until `end`, in calls of up to `most` units, of which some never run.
    func spend(until end: Instant, most: Int64, every gap: Duration, voids: Double = 0.1) async throws {
        let random = simulation.random
        while simulation.time.now < end, !contents.withLock({ $0.isDead }) {
            let cost = 1 + Int64(random.next(through: UInt64(most - 1)))
            if Double(random.next(through: 1 << 20)) / Double(1 << 20) < voids {
                try? limit.admit(cost: cost, at: simulation.time.now).void(at: simulation.time.now)
            } else {
                take(cost)
            }
            let spread = Int64(random.next(through: UInt64(gap.clampedNanoseconds)))
            try await simulation.time.sleep(for: .nanoseconds(spread + gap.clampedNanoseconds / 2))
        }
    }

    /// Ends without a word.
    func die(_ running: Task<Void, any Error>) {
        line.cut(true)
        contents.withLock { $0.isDead = true }
        running.cancel()
    }
}

struct Broken: Error, CustomStringConvertible {
    let description: String
}

func demand(_ holds: Bool, _ text: @autoclosure () -> String) throws {
    if !holds { throw Broken(description: text()) }
}

/// Tasks that end with the test that started them, also when it fails.
final class Crew: Sendable {
    private let simulation: Simulation
    private let tasks = Locked<[Task<Void, any Error>]>([])

    init(_ simulation: Simulation) { self.simulation = simulation }

    deinit { for task in tasks.withLock({ $0 }) { task.cancel() } }

    @discardableResult
    func start(_ name: String, _ body: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
        let task = simulation.start(name, body)
        tasks.withLock { $0.append(task) }
        return task
    }

    /// Cancels all, and waits for their end.
    func end() async {
        for task in tasks.withLock({ $0 }) { task.cancel() }
        for task in tasks.withLock({ $0 }) { _ = await task.result }
    }
}

extension Simulation {
    func seconds(_ seconds: Double) async throws {
        try await time.sleep(for: .nanoseconds(Int64(seconds * 1e9)))
    }
}
