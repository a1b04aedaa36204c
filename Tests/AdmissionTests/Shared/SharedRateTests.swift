import Admission
import SpillwayCore
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct SharedRateTests {
    private static let rate = SharedLimit.Limit.rate(.perSecond(1_000), burst: 1_000)

    /// No fault mints units.
    ///
    /// Processes that want more than there is share a rate over a network that loses, delays and repeats; they are cut off
    /// and killed, and the store is restarted with and without its memory. At no moment have they spent more than has dripped
    /// in since the store began; and when all is calm again, nobody starves and nothing is left.
    @Test func noFaultMintsUnits() async throws {
        try await Simulation.check(seeds: 0..<150) { simulation in
            let network = Network(simulation, faults: simulation.seed % 3 == 0 ? 0 : 0.08)
            let time = simulation.time, random = simulation.random, start = time.now
            let spenders = try (0..<4).map { _ in try Spender(network, .init(Self.rate, life: .seconds(2))) }
            let end = start.advanced(by: .seconds(9))
            let crew = Crew(simulation)
            var running: [Task<Void, any Error>] = [], spending = running
            for (number, spender) in spenders.enumerated() {
                running.append(crew.start("run \(number)") { try await spender.limit.run() })
                spending.append(
                    crew.start("spend \(number)") {
                        try await spender.spend(until: end, most: 12, every: .milliseconds(6))
                    })
            }
            func check() throws {
                let spent = spenders.map(\.spent).reduce(0, +)
                let most = Double(start.duration(to: time.now).clampedNanoseconds) / 1e6
                try demand(Double(spent) <= most + 1, "spent \(spent) of \(most)")
            }
            // Three seconds of trouble.
            for _ in 0..<6 {
                try await simulation.seconds(0.5)
                try check()
                switch random.next() % 8 {
                case 0: network.set(down: true)
                case 1: network.store.restart(keepingData: true)
                case 2: network.store.restart(keepingData: false)
                case 3: spenders[1].line.cut(true)
                case 4: spenders[2].line.cut(true)
                case 5: spenders[3].die(running[3])
                default:
                    network.set(down: false)
                    spenders[1].line.cut(false)
                    spenders[2].line.cut(false)
                }
            }
            network.set(down: false)
            for spender in spenders[..<3] { spender.line.cut(false) }
            try await simulation.seconds(2)
            try check()
            let before = spenders.map(\.spent)
            try await simulation.seconds(3)
            try check()
            let alive = spenders.filter { !$0.contents.withLock { $0.isDead } }.count
            let gains = zip(spenders, before).map { $0.spent - $1 }
            // Each wants some 1,000 units a second, so that any three want more than there is.
            try demand(gains.reduce(0, +) >= 2_400, "only \(gains) spent in three calm seconds")
            // An answer that is lost costs up to half a second.
            for gain in gains[..<3] { try demand(gain >= 150, "one of \(alive) starves: \(gains)") }
            for task in spending { _ = await task.result }
            await crew.end()
            try check()
        }
    }

    /// Without faults all of the rate is spent, and by all alike.
    @Test func allOfTheRateIsSpentAndByAllAlike() async throws {
        try await Simulation.check(seeds: 0..<20) { simulation in
            let network = Network(simulation, faults: 0)
            let spenders = try (0..<4).map { _ in try Spender(network, .init(Self.rate)) }
            let end = simulation.time.now.advanced(by: .seconds(11))
            let crew = Crew(simulation)
            for spender in spenders {
                crew.start("run") { try await spender.limit.run() }
                crew.start("spend") {
                    try await spender.spend(until: end, most: 10, every: .milliseconds(2), voids: 0)
                }
            }
            try await simulation.seconds(1)
            let before = spenders.map(\.spent)
            let asked = network.contents.withLock { $0.requests }
            try await simulation.seconds(10)
            let gains = zip(spenders, before).map { $0.spent - $1 }
            let requests = network.contents.withLock { $0.requests } - asked
            try demand((9_800...10_200).contains(gains.reduce(0, +)), "spent \(gains)")
            try demand(gains.allSatisfy { $0 > 2_000 }, "not alike: \(gains)")
            try demand(requests < 1_600, "\(requests) requests in 10 s")
            await crew.end()
        }
    }

    /// Away, each process goes on at its share, which is counted when the store is back.
    @Test func theFallbackIsAStatedShare() async throws {
        try await Simulation.check(seeds: 0..<20) { simulation in
            let network = Network(simulation, faults: 0)
            let spenders = try (0..<2).map { _ in
                try Spender(network, .init(Self.rate, fallback: .share(0.1), life: .seconds(1)))
            }
            let end = simulation.time.now.advanced(by: .seconds(30))
            let crew = Crew(simulation)
            for spender in spenders {
                crew.start("run") { try await spender.limit.run() }
                crew.start("spend") {
                    try await spender.spend(until: end, most: 10, every: .milliseconds(3), voids: 0)
                }
            }
            try await simulation.seconds(2)
            network.set(down: true)
            try await simulation.seconds(2)
            let away = spenders.map(\.spent)
            try await simulation.seconds(10)
            let gains = zip(spenders, away).map { $0.spent - $1 }
            for gain in gains { try demand((950...1_010).contains(gain), "went on at \(gain) in 10 s") }
            let back = spenders.map(\.spent).reduce(0, +)
            try demand(spenders[0].limit.isStoreAway, "it is away")
            network.set(down: false)
            try await simulation.seconds(5)
            // The bucket was full when the store came back, less what was spent without it.
            let gain = spenders.map(\.spent).reduce(0, +) - back
            try demand(gain <= 5_000 + 1_000, "flooded with \(gain)")
            try demand(gain >= 4_000, "went on with \(gain)")
            await crew.end()
        }
    }
}
