import Admission
import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct SharedAmountTests {
    /// A day's budget of money, spent by processes that are killed, cut off and replaced while the network loses, delays and
    /// repeats and the store is restarted: never more is spent than the budget, and the leases that were out when somebody
    /// could not say any more what became of them, and what those had spent whom a store without memory could not ask.
    @Test func neverMoreThanTheBudgetAndTheLeasesOut() async throws {
        try await Simulation.check(seeds: 0..<150) { simulation in
            let network = Network(simulation, faults: simulation.seed % 3 == 0 ? 0 : 0.08)
            let random = simulation.random, budget: Int64 = 20_000_000_000
            let configuration = SharedLimit.Configuration(.amount(budget, per: .seconds(86_400)), life: .seconds(2))
            let crew = Crew(simulation)
            var spenders: [Spender] = [], running: [Task<Void, any Error>] = [], spending = running, lost: Int64 = 0
            let end = simulation.time.now.advanced(by: .seconds(14))
            func start() throws {
                let spender = try Spender(network, configuration)
                spenders.append(spender)
                running.append(crew.start("run") { try await spender.limit.run() })
                spending.append(
                    crew.start("spend") {
                        try await spender.spend(until: end, most: 60_000_000, every: .milliseconds(10))
                    })
            }
            // A store that has lost its memory learns only from the living what was spent, and within a life.
            var forgotAt = Instant(nanoseconds: .min / 2)
            func unheard(_ silent: [Spender]) -> Int64 {
                guard forgotAt.duration(to: simulation.time.now) <= .seconds(3) else { return 0 }
                return silent.map(\.spent).reduce(0, +)
            }
            func check() throws {
                let spent = spenders.map(\.spent).reduce(0, +)
                try demand(spent <= budget + lost, "spent \(spent) of \(budget), \(lost) were out")
            }
            for _ in 0..<3 { try start() }
            for _ in 0..<16 {
                try await simulation.seconds(0.5)
                try check()
                let one = Int(random.next(through: UInt64(spenders.count - 1)))
                // Who may be cut off for longer than its lease lasts counts with all that it has out.
                switch random.next() % 12 {
                case 0:
                    lost += network.allOut + unheard(spenders)
                    network.set(down: true)
                case 1:
                    lost += network.allOut
                    network.store.restart(keepingData: true)
                case 2:
                    lost += network.allOut
                    network.store.restart(keepingData: false)
                    forgotAt = simulation.time.now
                    let isDown = network.contents.withLock { $0.isDown }
                    lost += unheard(spenders.filter { isDown || $0.line.contents.withLock { $0.isCut } })
                case 3:
                    lost += network.out(spenders[one].line.holder) + unheard([spenders[one]])
                    spenders[one].line.cut(true)
                case 4, 5:
                    lost += network.out(spenders[one].line.holder) + unheard([spenders[one]])
                    spenders[one].die(running[one])
                    try start()
                default:
                    network.set(down: false)
                    for spender in spenders where !spender.contents.withLock({ $0.isDead }) { spender.line.cut(false) }
                }
            }
            network.set(down: false)
            for spender in spenders where !spender.contents.withLock({ $0.isDead }) { spender.line.cut(false) }
            for task in spending { _ = await task.result }
            try check()
            // All of it could be spent, and whoever asks is told so.
            let spent = spenders.map(\.spent).reduce(0, +)
            try demand(spent >= budget * 9 / 10, "only \(spent) of \(budget) could be spent")
            await crew.end()
        }
    }

    /// Without faults the budget is exact, and a window after it begins with all of it.
    @Test func theBudgetIsExact() async throws {
        try await Simulation.check(seeds: 0..<30) { simulation in
            let network = Network(simulation, faults: simulation.seed % 2 == 0 ? 0 : 0.05)
            let configuration = SharedLimit.Configuration(.amount(10_000, per: .seconds(60)))
            let spenders = try (0..<3).map { _ in try Spender(network, configuration) }
            let crew = Crew(simulation)
            for spender in spenders { crew.start("run") { try await spender.limit.run() } }
            for window in 1...2 {
                let end = Instant(nanoseconds: Int64(window) * 60_000_000_000)
                let spending = spenders.map { spender in
                    crew.start("spend") {
                        try await spender.spend(until: end, most: 50, every: .milliseconds(10))
                    }
                }
                for task in spending { _ = await task.result }
                let spent = spenders.map(\.spent).reduce(0, +)
                try demand(spent <= 10_000 * Int64(window), "spent \(spent) in \(window) windows")
                try demand(spent >= 9_900 * Int64(window), "only \(spent) spent in \(window) windows")
                try demand(spenders[0].reasons.contains(.spendLimit), "\(spenders[0].reasons)")
            }
            await crew.end()
        }
    }
}
