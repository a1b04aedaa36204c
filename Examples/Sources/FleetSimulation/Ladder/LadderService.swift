import Spillway
import SpillwayTesting
import Synchronization

/// A service that answers questions: two fleets, an index, a cache and a queue of jobs, behind one policy.
final class LadderService: Sendable {
    private let simulation: Simulation
    private let settings: LadderSettings
    private let policy: Policy
    private let router: ModelRouter?
    private let premium: SimulatedFleet
    private let compact: SimulatedFleet
    private let cache: ExactCache<Int>
    private let jobs: JobQueue
    private let ledger: Ledger
    let limit: Money?

    private static let purse = Scope.tenant("service")

    init(_ simulation: Simulation, _ kind: LadderRun.Kind, _ settings: LadderSettings, limit: Money?) throws {
        self.simulation = simulation
        self.settings = settings
        self.limit = limit
        let time = simulation.time, random = simulation.random
        premium = try SimulatedFleet(
            simulation, replicas: settings.replicas.premium,
            engine: EngineModel.Configuration(gpu: .h200, model: .llama70BFP8), script: settings.script(random))
        compact = try SimulatedFleet(
            simulation, replicas: settings.replicas.compact,
            engine: EngineModel.Configuration(gpu: .a100, model: .llama8B))
        cache = try ExactCache(.init(bytes: 8 << 20, ttl: .seconds(86_400))) { _ in 2_000 }
        jobs = try JobQueue(
            "later", .init(mostOpen: 1_000_000), store: MemoryJobStore(), time: time, epoch: 0, random: random)
        let prices = try PriceBook(
            ["large": settings.premium, "small": settings.compact].mapValues { price in
                Price(.init(input: Money(nanodollars: price.input), output: Money(nanodollars: price.output)))
            })
        let books = try Ledger(
            "hour", prices: prices, .init(limits: [SpendLimit(Self.purse, hard: limit ?? .max, per: .total)]), epoch: 0)
        ledger = books
        let budget = try RetryBudget("extra", .init(ratio: 0.2))
        func models(_ name: String, _ count: Int, quality: Double) throws -> [Model] {
            let account = try books.account(Self.purse, .model(name), model: name, at: time.now)
            return try (0..<count).map { number in
                // No breaker: a model that fails is asked last and a tier that fails is left, and a second judge with another
                // verdict would bring the tier back twice.
                let limit = try ConcurrencyLimit("\(name)-\(number)", .init(.fixed(settings.limit)))
                return try Model("\(name)-\(number)", .init(quality: quality), gates: [limit, account])
            }
        }
        let best = Tier(
            "premium", choice: .leastLoad, models: try models("large", settings.replicas.premium, quality: 0.9),
            // Time must remain for what lies below.
            needs: .init(time: .seconds(65)), timeout: try AttemptTimeout(.seconds(40)))
        let second = Tier(
            "compact", choice: .leastLoad, models: try models("small", settings.replicas.compact, quality: 0.6),
            needs: .init(time: .seconds(22)), timeout: try AttemptTimeout(.seconds(20)))
        let tiers =
            switch kind {
            case .retries: [best]
            case .models: [best, second]
            case .ladder:
                [best, second, Tier("retrieval", .retrieval), Tier("cached", .cache), Tier("deferred", .deferral)]
            }
        let router = try ModelRouter(
            "ladder", budget: budget, hysteresis: Hysteresis { $0.sharesPurse = true }, tiers: tiers)
        self.router = router
        policy = try Policy("service", time: time) { () throws(ConfigurationError) in
            try Deadline(.seconds(90))
            if kind != .ladder { try Retry(upTo: 2, budget: budget, random: random) }
            router
        }
    }

    var changes: [ModeChange] { router?.changes ?? [] }
    /// Dollars.
    var spent: Double {
        let standing = ledger.standings(of: Self.purse, at: simulation.time.now)
        return standing.first.map { Double($0.balance.spent.nanodollars) / 1e9 } ?? 0
    }

    func isModel(_ target: String) -> Bool { target.hasPrefix("large") || target.hasPrefix("small") }

    /// Asks a question; the answer is its number.
    func ask(
        _ question: Int, _ request: EngineModel.Request
    ) async -> (Result<Int, PolicyError<any Error>>, CallReport) {
        let call = Call(
            tokens: .estimate(input: request.promptTokens, maxOutput: request.outputTokens), idempotency: .idempotent)
        let key = CacheKey("\(question)", for: .shared, seed: 1)
        let made = await policy.reported(call) { [self] (attempt) async throws -> Int in
            switch attempt.mode!.kind {
            case .model:
                let name = attempt.target!, number = Int(name.split(separator: "-")[1])!
                let fleet = name.hasPrefix("large") ? premium : compact
                let answer = try await fleet.answer(request, at: number)
                attempt.used(Usage(input: request.promptTokens, output: answer.tokens))
                cache.store(question, for: key, at: simulation.time.now)
                return question
            case .retrieval:
                try await simulation.time.sleep(for: .milliseconds(80))
                guard (question &* 2_654_435_761) % 100 < settings.indexed else { throw NoAnswer() }
                return question
            case .cache:
                guard let hit = cache.lookup(key, at: simulation.time.now, allowingStale: true) else {
                    throw NoAnswer()
                }
                return hit.value
            case .deferral:
                try await jobs.submit(Array("\(question)".utf8))
                return question
            }
        }
        return (made.result, made.report)
    }
}
