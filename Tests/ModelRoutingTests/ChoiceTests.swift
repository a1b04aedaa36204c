import ModelRouting
import SpillwayCore
import SpillwayTesting
import Testing

/// How a tier chooses one of its models.
@Suite struct ChoiceTests {
    let time = ManualTime(noon)

    func router(_ choice: Choice, _ models: [Model]) throws -> ModelRouter {
        try ModelRouter("chat", budget: Purse(100), tiers: [Tier("tier", choice: choice, models: models)])
    }

    func pick(_ router: ModelRouter, _ call: Call = idempotent) async throws -> String {
        try await router.run(call, time: time) { $0.target! }.answer
    }

    /// Lets `model` take so long for an answer.
    func teach(_ model: Model, _ seconds: Double, _ times: Int = 1) throws {
        for _ in 0..<times {
            try model.admit(Call(), at: time.now).settle(.success, at: time.now.advanced(by: .seconds(seconds)))
        }
    }

    func cost(_ dollars: Int64) -> Model.Cost { .perMillion(input: dollars * 1_000_000_000, output: 0) }

    @Test func inOrderAndRotating() async throws {
        let models = try ["a", "b", "c"].map { try Model($0) }
        let ordered = try router(.inOrder, models), rotating = try router(.rotating, models)
        var picks: [String] = []
        for _ in 0..<4 { picks.append(try await pick(ordered)) }
        #expect(picks == ["a", "a", "a", "a"])
        picks = []
        for _ in 0..<6 { picks.append(try await pick(rotating)) }
        #expect(picks == ["a", "b", "c", "a", "b", "c"])
    }

    @Test func byWeight() async throws {
        let models = try [("a", 1.0), ("b", 3), ("c", 0.5)].map { try Model($0.0, .init(quality: 1, weight: $0.1)) }
        let router = try router(.weighted(.seeded(7)), models)
        var counts: [String: Int] = [:]
        for _ in 0..<9_000 { counts[try await pick(router), default: 0] += 1 }
        #expect(abs(counts["a"]! - 2_000) < 150 && abs(counts["b"]! - 6_000) < 150 && abs(counts["c"]! - 1_000) < 150)
    }

    @Test func theFastestAndWhatIsNotKnownYet() async throws {
        let (a, b, c) = try (Model("a"), Model("b"), Model("c"))
        let router = try router(.leastLatency, [a, b, c])
        try teach(a, 0.3)
        try teach(b, 0.2)
        #expect(try await pick(router) == "c", "nobody knows how fast it is")
        try teach(c, 0.9, 20)
        #expect(try await pick(router) == "b")
        // What was slow is asked again after a while.
        time.advance(by: .seconds(30))
        try teach(a, 0.3)
        try teach(b, 0.2, 10)
        time.advance(by: .zero)
        #expect(c.latency(at: time.now)! < .milliseconds(200))
    }

    @Test func theLeastLoadedForItsWeight() async throws {
        let (a, b) = try (Model("a", .init(quality: 1, weight: 2)), Model("b", .init(quality: 1, weight: 1)))
        let router = try router(.leastLoad, [a, b])
        var permits: [RawPermit] = []
        for _ in 0..<3 { permits.append(try a.admit(Call(), at: noon).take()) }
        permits.append(try b.admit(Call(), at: noon).take())
        #expect(try await pick(router) == "b", "3 of 2 against 1 of 1")
        permits.append(try b.admit(Call(), at: noon).take())
        #expect(try await pick(router) == "a")
        for permit in permits { permit.settle(.success, at: noon) }
        #expect(a.inFlight == 0 && b.inFlight == 0)
    }

    @Test func theCheapestWithinTheGoalElseTheFastest() async throws {
        let (dear, fair, cheap) = try (
            Model("dear", .init(quality: 0.9, cost: cost(10))), Model("fair", .init(quality: 0.8, cost: cost(3))),
            Model("cheap", .init(quality: 0.4, cost: cost(1)))
        )
        let router = try router(.cheapest(within: .seconds(2)), [dear, fair, cheap])
        #expect(try await pick(router) == "cheap")
        #expect(
            try await pick(router, Call(tokens: .estimate(input: 1_000, maxOutput: 1), needs: .init(quality: 0.5)))
                == "fair")
        try teach(cheap, 3, 20)
        #expect(try await pick(router) == "fair", "the cheapest is too slow")
        try teach(fair, 4, 20)
        try teach(dear, 5, 5)
        #expect(try await pick(router) == "cheap", "none is within the goal")
        let priceless = try Model("priceless", .init(quality: 1, cost: .estimated { _, _ in nil }))
        let unknown = try self.router(.cheapest(), [priceless, dear])
        #expect(try await pick(unknown) == "dear", "what nobody can price is as dear as can be")
    }

    @Test func asGoodAsTheTaskIsHard() async throws {
        let models = try [("large", 0.9, 10), ("middle", 0.6, 3), ("small", 0.3, 1)].map {
            try Model($0.0, .init(quality: $0.1, cost: cost(Int64($0.2))))
        }
        let router = try router(.byDifficulty, models)
        func difficulty(_ value: Double) -> Call {
            Call(tokens: .estimate(input: 1_000, maxOutput: 0), needs: .init(difficulty: value))
        }
        #expect(try await pick(router, difficulty(0)) == "small")
        #expect(try await pick(router, difficulty(0.31)) == "middle")
        #expect(try await pick(router, difficulty(0.9)) == "large")
        #expect(try await pick(router, difficulty(1)) == "large", "the best there is")
    }

    /// Whatever the rule and what is known, a choice is one of the allowed, and an optimal one for the rules that compare.
    @Test(arguments: UInt64(1)...300)
    func agreesWithAPlainComparison(_ seed: UInt64) async throws {
        var random = RandomSource.seeded(seed)
        let count = Int.random(in: 1...8, using: &random)
        var prices: [Int64] = [], qualities: [Double] = []
        let models = try (0..<count).map { index in
            prices.append(Int64.random(in: 0...5, using: &random))
            qualities.append(Double(Int.random(in: 0...4, using: &random)) / 4)
            return try Model("\(index)", .init(quality: qualities[index], cost: cost(prices[index])))
        }
        for model in models where Bool.random(using: &random) {
            try teach(model, Double(Int.random(in: 1...6, using: &random)))
        }
        time.advance(by: .seconds(1))
        let needs = Call.Needs(
            quality: Double(Int.random(in: 0...4, using: &random)) / 4,
            difficulty: Double(Int.random(in: 0...4, using: &random)) / 4)
        let call = Call(tokens: .estimate(input: 1_000_000, maxOutput: 0), needs: needs)
        let allowed = models.indices.filter { qualities[$0] >= needs.quality }
        func latency(_ index: Int) -> Duration { models[index].latency(at: time.now) ?? .zero }
        let goal = Duration.seconds(3)
        func expected(_ choice: Choice) -> Set<Int> {
            func best(_ from: [Int], _ measure: (Int) -> Double) -> Set<Int> {
                let least = from.map(measure).min()
                return Set(from.filter { measure($0) == least })
            }
            func seconds(_ index: Int) -> Double { latency(index) / .seconds(1) }
            switch choice {
            case .cheapest:
                let within = allowed.filter { latency($0) <= goal }
                return within.isEmpty ? best(allowed, seconds) : best(within) { Double(prices[$0]) }
            case .leastLatency: return best(allowed, seconds)
            case .byDifficulty:
                let able = allowed.filter { qualities[$0] >= needs.difficulty }
                return able.isEmpty ? best(allowed) { -qualities[$0] } : best(able) { Double(prices[$0]) }
            default: return Set(allowed)
            }
        }
        let all: [Choice] = [
            .inOrder, .rotating, .weighted(.seeded(seed)), .leastLatency, .leastLoad, .cheapest(within: goal),
            .byDifficulty,
        ]
        for choice in all {
            let router = try router(choice, models)
            guard !allowed.isEmpty else {
                await #expect(throws: PolicyError<Never>.self) { try await router.run(call, time: time) { _ in } }
                continue
            }
            let best = expected(choice)
            let picked = Int(try await router.run(call, time: ManualTime(time.now)) { $0.target! }.answer)!
            #expect(best.contains(picked), "seed \(seed), \(choice)")
        }
    }
}
