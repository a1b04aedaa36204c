import CircuitBreaking
import SpillwayCore
import Testing

/// Calls under way as a list, and nothing clever.
private struct InFlightModel {
    struct Held {
        let permit: RawPermit
        let slice: Int
        let admitted: Double
        var counts = true
    }

    let rule: CircuitBreaker.Stuck
    let slice: Double
    var newest = 0
    var held: [Held] = []

    func number(_ now: Double) -> Int { Int(now / slice) }

    var total: Int { held.count { $0.counts } }

    func stuck(at number: Int) -> Int { held.count { $0.counts && $0.slice + 8 <= number } }

    /// Moves on, or starts over because time went back by more than the ring; returns whether the breaker opens.
    mutating func opens(at now: Double) -> Bool {
        let number = number(now)
        if number + 8 < newest {
            forget()
            newest = number
        }
        newest = max(newest, number)
        let stuck = stuck(at: newest)
        return stuck >= rule.calls && Double(stuck) >= rule.share * Double(total)
    }

    mutating func forget() { for index in held.indices { held[index].counts = false } }
}

@Suite(.timeLimit(.minutes(10))) struct StuckModelTests {
    /// Admits, settles, voids and lets time jump, at random.
    @Test func agreesWithAListOfCalls() async throws {
        for seed in UInt64(1)...1_000 {
            if seed % 50 == 0 { await Task.yield() }
            var random = RandomSource.seeded(seed)
            try run(seed, &random, clockGoesBack: seed % 2 == 0)
        }
    }

    private func run(_ seed: UInt64, _ random: inout RandomSource, clockGoesBack: Bool) throws {
        // Seconds that are a multiple of seven, and shares that are exact, leave nothing to rounding.
        let slice = Double(Int.random(in: 1...3, using: &random))
        let rule = CircuitBreaker.Stuck(
            olderThan: .seconds(7 * slice), calls: .random(in: 1...6, using: &random),
            share: [0, 0.25, 0.5].randomElement(using: &random)!)
        let breaker = try makeBreaker {
            $0.window = .consecutive(1_000_000)
            $0.stuck = rule
        }
        var model = InFlightModel(rule: rule, slice: slice)
        var now = Double(Int.random(in: 0...1_000, using: &random))
        for step in 0..<300 {
            let context = "seed \(seed), step \(step), at \(now)"
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<45:
                let opens = model.opens(at: now)
                if !clockGoesBack { expectAges(model, opens, at: now, context) }
                guard let permit = try? breaker.admit(at: at(now)) else {
                    #expect(opens, "\(context)")
                    breaker.close(at: at(now))
                    model.forget()
                    model.newest = 0
                    break
                }
                #expect(!opens, "\(context)")
                model.held.append(.init(permit: permit.take(), slice: model.newest, admitted: now))
            case 45..<80:
                guard let index = model.held.indices.randomElement(using: &random) else { break }
                let outcome: Outcome? = [.success, .slow, .failure(.timeout), .neutral(.cancelled), nil]
                    .randomElement(using: &random)!
                model.held.remove(at: index).permit.settle(outcome, at: at(now))
            case 80..<97: now += Double.random(in: 0...2, using: &random) * slice
            case 97: now += Double(Int.random(in: 0...30, using: &random)) * slice
            case 98: if clockGoesBack { now = max(0, now - Double(Int.random(in: 0...60, using: &random))) }
            default:
                breaker.close(at: at(now))
                model.forget()
                model.newest = 0
            }
            let counts = breaker.inFlight(at: at(now))
            #expect(counts.total == model.total, "\(context)")
            #expect(counts.stuck == model.stuck(at: max(model.newest, model.number(now))), "\(context)")
        }
        for held in model.held { held.permit.settle(.success, at: at(now)) }
        #expect(breaker.inFlight(at: at(now)) == (stuck: 0, total: 0), "seed \(seed)")
    }

    /// What the slices come to: never before the age, and at most a seventh after it.
    private func expectAges(_ model: InFlightModel, _ opens: Bool, at now: Double, _ context: String) {
        let ages = model.held.filter(\.counts).map { now - $0.admitted }
        let surely = ages.count { $0 >= 8 * model.slice }, perhaps = ages.count { $0 >= 7 * model.slice }
        let needed = model.rule.share * Double(ages.count)
        if opens { #expect(perhaps >= model.rule.calls && Double(perhaps) >= needed, "\(context)") }
        if surely >= model.rule.calls && Double(surely) >= needed { #expect(opens, "\(context)") }
    }

    /// Threads admit and settle across slices and states: nobody is left over, and who stays is found.
    @Test func threadsLoseNobodyAndLeaveNobody() async throws {
        for (calls, closes) in [(1_000_000, false), (3, false), (1_000_000, true), (3, true)] {
            let breaker = try makeBreaker {
                $0.window = .consecutive(1_000_000)
                $0.stuck = .init(olderThan: .milliseconds(7), calls: calls, share: 0)
                $0.openDuration = .milliseconds(1)
                $0.openGrowth = 1
            }
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<4 {
                    group.addTask {
                        var random = RandomSource.seeded(UInt64(task))
                        var held: [RawPermit] = []
                        for step in 0..<20_000 {
                            if step % 1_000 == 0 { await Task.yield() }
                            // A slice every ten steps, and tasks that are behind by up to one.
                            let now = at(Double(step + Int.random(in: 0...9, using: &random)) / 10_000)
                            if let permit = try? breaker.admit(at: now) { held.append(permit.take()) }
                            while held.count > Int.random(in: 0...200, using: &random) {
                                let index = held.indices.randomElement(using: &random)!
                                held.remove(at: index).settle(.success, at: now)
                            }
                            if closes, step % 500 == 0 { breaker.close(at: now) }
                        }
                        for permit in held { permit.settle(.success, at: at(3)) }
                    }
                }
            }
            #expect(breaker.inFlight(at: at(10)) == (stuck: 0, total: 0))
            breaker.close(at: at(10))
            let held = try breaker.hold(2, at: at(10))
            #expect(breaker.inFlight(at: at(11)) == (stuck: 2, total: 2))
            held.settle(.success, at: at(11))
        }
    }
}
