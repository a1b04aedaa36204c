import CostLedger
import SpillwayCore
import SpillwayTesting
import Synchronization

/// Callers that spend from the same budgets at once, and a service that crashes in the middle of it.
///
/// Every attempt is held for, the hold is stored, and then the attempt is sent: from there on it costs money whatever happens
/// here. What was really spent is counted outside of the ledger and compared with it and with the limits.
final class SpendingTrial: Sendable {
    /// What came of one seed.
    struct Counts: Sendable {
        var crashes = 0
        var refused = 0
        /// Attempts that were sent.
        var sent = 0
        /// Sent attempts whose process died before it could settle them.
        var orphans = 0
        /// Settlements that the ledger said were stored.
        var acknowledged = 0
        /// What sent attempts cost, up to what was held for each.
        var spent = Money.zero
        /// What they cost above that.
        var overage = Money.zero
        /// The largest part of a hard limit that was taken, overage left out.
        var fullest = 0.0
    }

    /// A seed in which the ledger was wrong.
    struct Wrong: Error {
        let what: String
    }

    /// What an attempt that was sent really costs; told apart by the amount that was held, which no two share.
    private struct Attempt {
        let held: Money
        let cost: Money
        let scopes: [Scope]
        var isKnown = false
    }

    private struct State {
        var counts = Counts()
        var sent: [Money: Attempt] = [:]
        var acknowledged: Set<Money> = []
        var nextID: Int64 = 0
    }

    private static let callers = 64

    private let simulation: Simulation
    private let limits: [SpendLimit]
    private let disk = Disk()
    private let state = Mutex(State())

    /// Runs all callers of one seed.
    ///
    /// - Throws: ``Wrong``.
    static func run(_ simulation: Simulation) async throws -> Counts {
        let trial = try SpendingTrial(simulation)
        let crashes = simulation.random.upTo(3)
        for life in 0...crashes { try await trial.live(diesAfter: life < crashes ? simulation.random.upTo(60) : nil) }
        return trial.state.withLock { $0.counts }
    }

    private init(_ simulation: Simulation) throws {
        self.simulation = simulation
        let random = simulation.random
        limits = [
            SpendLimit(.tenant("acme"), hard: .cents(50 + random.upTo(2_000)), per: .total),
            SpendLimit(each: .key, hard: .cents(20 + random.upTo(400)), per: .hour),
            SpendLimit(each: .session, hard: .cents(10 + random.upTo(200)), per: .rolling(.seconds(1), steps: 5)),
        ]
    }

    /// One life of the service, which dies after so many milliseconds, or ends by itself.
    private func live(diesAfter milliseconds: Int?) async throws {
        let process = Disk.Process(disk, simulation.time, simulation.random)
        var configuration = Ledger.Configuration(limits: limits)
        configuration.durability = .holds
        configuration.holdLifetime = .seconds(5)
        let ledger = try await open(configuration, process)
        try check(ledger)
        try await resolve(ledger)
        let tasks = (0..<Self.callers).map { caller in
            let random = simulation.random
            let leaves = random.upTo(5) == 0 ? random.upTo(20) : nil
            return simulation.start("caller \(caller)", cancelledAtAwait: leaves) {
                for _ in 0...random.upTo(3) { try await self.spend(caller, ledger, process) }
            }
        }
        if let milliseconds {
            try await simulation.time.sleep(for: .milliseconds(milliseconds))
            process.die()
            state.withLock { $0.counts.crashes += 1 }
            for task in tasks { task.cancel() }
        }
        for task in tasks { _ = await task.result }
        guard process.isAlive else { return }
        try await store(ledger)
        try check(ledger)
        guard ledger.open.holds == 0 else { throw Wrong(what: "\(ledger.open.holds) holds are open") }
    }

    /// Opens the ledger, however often the disk refuses.
    private func open(_ configuration: Ledger.Configuration, _ process: Disk.Process) async throws -> Ledger {
        while true {
            do {
                return try await Ledger.open(
                    "ledger", configuration, store: process, time: simulation.time, epoch: 0)
            } catch is StoreError {}
        }
    }

    private func store(_ ledger: Ledger) async throws {
        while true {
            do throws(StoreError) { return try await ledger.stored() } catch {
                if error.kind == .closed { throw error }
            }
        }
    }

    /// One attempt of a caller.
    private func spend(_ caller: Int, _ ledger: Ledger, _ process: Disk.Process) async throws {
        let random = simulation.random, time = simulation.time
        let scopes: [Scope] = [
            .tenant("acme"), .key("\(caller % 8)"), .session("\(caller % 16)"), .tag("\(random.upTo(3))"),
        ]
        let account = try ledger.account(of: scopes, at: time.now)
        // An amount that no other hold has.
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let held = Money.cents(random.upTo(30)) + Money(nanodollars: id)
        let hold: Hold
        do { hold = try account.hold(held, at: time.now) } catch {
            state.withLock { $0.counts.refused += 1 }
            return
        }
        do { try await ledger.storedBeforeDispatch() } catch {
            // Not sent, so it costs nothing; dropping the hold voids it.
            return
        }
        if Task.isCancelled || !process.isAlive { return }
        // A tenth costs more than was held for it.
        let share = random.upTo(9) == 0 ? 100 + random.upTo(100) : random.upTo(100)
        let cost = held.times(Int64(share), over: 100)
        state.withLock { state in
            state.sent[held] = Attempt(held: held, cost: cost, scopes: scopes)
            state.counts.sent += 1
            state.counts.spent += min(cost, held)
            state.counts.overage += max(.zero, cost - held)
        }
        try? await time.sleep(for: .milliseconds(random.upTo(50)))
        if !process.isAlive {
            // Nobody is left to settle it. The hold's own end says nothing to the dead process's disk.
            state.withLock { $0.counts.orphans += 1 }
            return
        }
        hold.settle(cost, at: time.now)
        state.withLock { $0.sent[held]?.isKnown = true }
        do { try await ledger.storedBeforeAnswer() } catch { return }
        if process.isAlive {
            state.withLock { state in
                state.counts.acknowledged += 1
                state.acknowledged.insert(held)
            }
        }
    }

    /// Tells the ledger what calls in suspense really cost.
    private func resolve(_ ledger: Ledger) async throws {
        for posting in ledger.suspended() {
            let attempt = state.withLock { $0.sent[posting.held] }
            // One that was held and stored, but never sent, costs nothing.
            guard ledger.resolve(posting.number, cost: attempt?.cost, at: simulation.time.now) else {
                throw Wrong(what: "hold \(posting.number) is in suspense and cannot be resolved")
            }
            state.withLock { $0.sent[posting.held]?.isKnown = true }
        }
        try await store(ledger)
        try check(ledger)
    }

    /// Compares the ledger with the disk, and both with what was really spent.
    private func check(_ ledger: Ledger) throws {
        let problems = ledger.audit()
        guard problems.isEmpty else { throw Wrong(what: problems.joined(separator: "; ")) }
        let settled = disk.postings.filter { $0.kind == .settled }
        let byHeld = Dictionary(grouping: settled, by: \.held)
        try state.withLock { state in
            for held in state.acknowledged {
                guard byHeld[held]?.count == 1, byHeld[held]?[0].cost == state.sent[held]?.cost else {
                    throw Wrong(what: "acknowledged \(held), found \(byHeld[held]?.map(\.cost) ?? [])")
                }
            }
            for (held, postings) in byHeld where state.sent[held]?.cost != postings[0].cost || postings.count != 1 {
                throw Wrong(what: "posted \(postings.map(\.cost)) for \(held), sent \(state.sent[held]?.cost ?? .zero)")
            }
            // The limit over all time: by what was really sent, not by the ledger's own sums.
            for limit in limits {
                guard case .scope(let scope) = limit.target, let hard = limit.hard else { continue }
                let sent = state.sent.values.filter { $0.scopes.contains(scope) }
                let spent = sent.reduce(Money.zero) { $0 + min($1.cost, $1.held) }
                guard spent <= hard else { throw Wrong(what: "\(scope) spent \(spent) of \(hard)") }
                let fullest = Double(spent.nanodollars) / Double(hard.nanodollars)
                state.counts.fullest = max(state.counts.fullest, fullest)
            }
        }
    }
}
