import Admission
import SpillwayCore
import Synchronization
import Testing

@Suite struct ConcurrencyLimitTests {
    @Test func asManyAsTheLimitPassAndEachPlaceComesBack() throws {
        let limit = try makeLimit(.fixed(3))
        var held = limit.fill()
        #expect(held.count == 3 && limit.inFlight == 3 && limit.utilization == 1)
        #expect(limit.take() == nil)
        held.removeLast().settle(.success, at: at(2))
        #expect(limit.inFlight == 2)
        #expect(limit.take()?.settle(nil, at: at(2)) != nil)
        for permit in held { permit.settle(.failure(.timeout), at: at(2)) }
        #expect(limit.inFlight == 0 && limit.limit == 3)
    }

    @Test func aRefusalSaysWhoAndWhy() throws {
        let limit = try makeLimit(.fixed(1))
        let permit = try limit.admit(Call(), at: at(1))
        #expect {
            _ = try limit.admit(Call(), at: at(1))
        } throws: { error in
            let rejection = error as? Rejection
            return rejection?.reason == .concurrencyLimited && "\(rejection?.gate.description ?? "")" == "limit"
        }
        permit.settle(.success, at: at(1))
    }

    @Test func aPermitThatIsDroppedGivesItsPlaceBack() throws {
        let limit = try makeLimit(.fixed(1))
        _ = try limit.admit(Call(), at: at(1))
        #expect(limit.inFlight == 0)
    }

    @Test func theLargestLimitHolds() throws {
        let limit = try makeLimit(.fixed(65_000))
        let held = limit.fill()
        #expect(held.count == 65_000)
        for permit in held { permit.settle(.success, at: at(2)) }
        #expect(limit.inFlight == 0)
    }

    @Test func aLowerLimitRefusesUntilEnoughHaveEnded() throws {
        let limit = try makeLimit(.fixed(10))
        var held = limit.fill()
        try limit.update(.init(.fixed(4)), at: at(1))
        #expect(limit.limit == 4 && limit.inFlight == 10 && limit.utilization == 2.5)
        for left in stride(from: 9, through: 4, by: -1) {
            held.removeLast().settle(.success, at: at(2))
            #expect(limit.inFlight == left)
            #expect(limit.take() == nil)
        }
        held.removeLast().settle(.success, at: at(2))
        held.append(try #require(limit.take()))
        #expect(limit.take() == nil)
        try limit.update(.init(.fixed(6)), at: at(3))
        held += limit.fill()
        #expect(held.count == 6)
        for permit in held { permit.settle(.success, at: at(4)) }
        #expect(limit.inFlight == 0)
    }

    @Test func aBadConfigurationIsRefusedAndTheOldStays() throws {
        let limit = try makeLimit(.fixed(7))
        let bad: [(ConcurrencyLimit.Configuration, String)] = [
            (.init(.fixed(0)), "limit"), (.init(.fixed(65_001)), "limit"),
            (.init(.adaptive(.gradient()), in: 0...10), "range.lowerBound"),
            (.init(.adaptive(.gradient()), in: 1...70_000), "range.upperBound"),
            (.init(.adaptive(.gradient()), in: 4...10, initially: 3), "initially"),
            (.init(.adaptive(.gradient(tolerance: 0.9))), "gradient.tolerance"),
            (.init(.adaptive(.gradient(queue: -1))), "gradient.queue"),
            (.init(.adaptive(.gradient(smoothing: 0))), "gradient.smoothing"),
            (.init(.adaptive(.gradient(longWindow: 0))), "gradient.longWindow"),
            (.init(.adaptive(.gradient(drift: .nan))), "gradient.drift"),
            (.init(.adaptive(.gradient(window: .zero))), "rule.window"),
            (.init(.adaptive(.gradient(samples: 251))), "rule.samples"),
            (.init(.adaptive(.aimd(latency: .zero))), "aimd.latency"),
            (.init(.adaptive(.aimd(backoff: 1))), "aimd.backoff"),
            (.init(.adaptive(.aimd(increase: 0))), "aimd.increase"),
            (.init(.adaptive(.aimd(tolerance: 1))), "aimd.tolerance"),
            (.init(.adaptive(.vegas(alpha: 6))), "vegas.alpha"), (.init(.adaptive(.vegas(beta: 0))), "vegas.beta"),
            (.init(.adaptive(.vegas(smoothing: 1.5))), "vegas.smoothing"),
            (.init(.adaptive(.model(firstContent: .zero, tokensPerSecond: 20))), "model.firstContent"),
            (.init(.adaptive(.model(firstContent: .seconds(1), tokensPerSecond: 0))), "model.tokensPerSecond"),
            (.init(.adaptive(.model(firstContent: .seconds(1), tokensPerSecond: 9, missing: 0.6))), "model.missing"),
            (.init(.fixed(9), partitions: .byKey([:])), "partitions"),
            (.init(.fixed(9), partitions: .byKey(["a": 0.7, "b": 0.4])), "partitions"),
            (.init(.fixed(9), partitions: .byKey(["a": 0])), "partitions.a"),
            (.init(.fixed(9), partitions: .byKey(["a": 0.5], lending: 1.1)), "partitions.lending"),
        ]
        for (configuration, field) in bad {
            #expect {
                try limit.update(configuration, at: at(1))
            } throws: { error in
                (error as? ConfigurationError)?.field == field
            }
            #expect(throws: ConfigurationError.self) { try ConcurrencyLimit("limit", configuration) }
        }
        #expect(limit.configuration == .init(.fixed(7)) && limit.limit == 7)
        #expect(throws: ConfigurationError.self) { try ConcurrencyLimit("", .init(.fixed(1))) }
    }

    @Test func inShadowNothingIsRefusedAndAllIsCounted() throws {
        final class Seen: Observer {
            let count = Counter()
            func wouldHaveRejected(_ rejection: Rejection) { count.add(1) }
        }
        let seen = Seen()
        let limit = try ConcurrencyLimit("limit", .init(.fixed(2), shadow: true), observer: seen)
        let held = limit.fill(most: 5)
        #expect(held.count == 5 && limit.inFlight == 5 && seen.count.value == 3)
        for permit in held { permit.settle(.success, at: at(1)) }
        #expect(limit.inFlight == 0)
    }

    /// A permit that outlives its gate gives no place of the next gate back.
    @Test func theNextGateIsNotTouchedByPermitsOfTheLast() throws {
        var old: ConcurrencyLimit? = try makeLimit(.adaptive(.gradient()), initially: 5)
        let held = try #require(old).fill()
        #expect(held.count == 5)
        old = nil
        let next = try makeLimit(.fixed(2))
        let mine = next.fill()
        #expect(mine.count == 2)
        for permit in held {
            permit.settle(.success, at: at(2))
            #expect(next.inFlight == 2 && next.take() == nil)
        }
        for permit in mine { permit.settle(.success, at: at(2)) }
        #expect(next.inFlight == 0)
    }

    /// The state of a gate is used again once its last call has left, so that memory does not grow.
    @Test func aStateIsUsedAgainWhenItsLastCallHasLeft() throws {
        var gate: ConcurrencyLimit? = try makeLimit(.fixed(1), partitions: .byKey(["a": 1]))
        let state = ObjectIdentifier(try #require(gate).state)
        let permit = try #require(gate?.take(Call(key: "a")))
        gate = nil
        var others: [ConcurrencyLimit] = []
        for _ in 0..<20 { others.append(try makeLimit(.fixed(1))) }
        #expect(!others.contains { ObjectIdentifier($0.state) == state })
        permit.settle(.success, at: at(2))
        var found = false
        for _ in 0..<200 where !found {
            let other = try makeLimit(.fixed(1))
            found = ObjectIdentifier(other.state) == state
            others.append(other)
        }
        #expect(found)
    }
}

/// A number that many may add to.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    func add(_ more: Int) { number.add(more, ordering: .relaxed) }
    var value: Int { number.load(ordering: .relaxed) }
}
