import Spillway
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct AuditedGateTests {
    private let audit = Audit()

    @Test func aPermitSettledOnceIsRight() throws {
        let gate = audit.gate(OpenGate())
        try gate.admit(Call(), at: at(1)).settle(.success, at: at(2))
        try gate.admit(Call(), at: at(1)).void(at: at(2))
        do { _ = try gate.admit(Call(), at: at(1)) }  // dropped: neutral
        #expect(gate.name == "open")
        #expect([gate.counts.admitted, gate.counts.settled, gate.counts.voided, gate.counts.open] == [3, 2, 1, 0])
        try audit.check()
    }

    @Test func aLostPermitIsNamed() throws {
        let gate = audit.gate(OpenGate("leaky")), holder = CarelessHolder()
        try gate.admit(Call(), at: at(1)).settle(.success, at: at(2))
        try holder.take(from: gate, at: at(3))
        let expected = Violation(.permits, "leaky: permit 2, given at 3.0 seconds, was never settled")
        #expect(throws: expected) { try audit.check() }
        holder.held[0].settle(.success, at: at(4))
        try audit.check()
    }

    @Test func aPermitSettledAgainIsNamed() throws {
        let gate = audit.gate(OpenGate("twice")), holder = CarelessHolder()
        try holder.take(from: gate, at: at(3))
        holder.held[0].settle(.success, at: at(4))
        holder.held[0].settle(nil, at: at(5))
        #expect(throws: Violation(.permits, "twice: permit 1 was settled again")) { try audit.check() }
        #expect([gate.counts.admitted, gate.counts.settled, gate.counts.voided] == [1, 1, 0])
    }

    @Test func aPermitMayOutliveItsAudit() throws {
        let breaker = try CircuitBreaker("breaker", .init { $0.window = .consecutive(1) })
        let holder = CarelessHolder()
        do {
            let gate = Audit().gate(breaker)
            try holder.take(from: gate, at: at(1))
        }
        holder.held[0].settle(.failure(.timeout), at: at(2))
        #expect(breaker.currentState == .open)
        // The state has gone on to another gate, in which the old permit counts for nothing.
        let next = audit.gate(OpenGate("next"))
        holder.held[0].settle(.success, at: at(3))
        try next.admit(Call(), at: at(4)).settle(.success, at: at(4))
        try audit.check()
    }

    @Test func aGateThatMintsIsFound() throws {
        let gate = audit.gate(OpenGate("mint"), meter: try RateMeter(units: 1, per: .seconds(1), burst: 2))
        for _ in 0..<3 { try gate.admit(Call(), at: at(1)).settle(.success, at: at(1)) }
        #expect(audit.violations.map(\.invariant) == [.rate])
        #expect(
            "\(audit.violations[0])"
                == "rate: mint: 3 units from 1.0 seconds to 1.0 seconds, at most 2 may pass")
    }

    @Test func everyKeyHasAMeterOfItsOwn() throws {
        let meter = try RateMeter(units: 1, per: .seconds(1), burst: 2)
        let gate = audit.gate(OpenGate("keyed"), meter: meter, perKey: true)
        for key in ["a", "b", nil] as [String?] {
            for _ in 0..<2 { try gate.admit(Call(key: key), at: at(1)).settle(.success, at: at(1)) }
        }
        try audit.check()
        try gate.admit(Call(key: "b"), at: at(1)).settle(.success, at: at(1))
        #expect(audit.violations.map(\.detail).first?.hasPrefix("keyed for 'b': 3 units") == true)
    }

    /// Random admissions, refunds and times, through a gate of production with its own numbers as the limit.
    private func torment(_ gate: AuditedGate, _ random: RandomSource, backwards: Bool = false) {
        func draw(_ limit: UInt64) -> Int { Int(random.next(through: limit)) }
        var now = Int64(1_000_000_000)
        var held: [RawPermit] = []
        for _ in 0..<150 {
            switch draw(9) {
            case 0...4:
                let call = Call(tokens: .estimate(input: draw(4), maxOutput: 0), key: "\(draw(2))")
                if let permit = try? gate.admit(call, at: Instant(nanoseconds: now)).take() { held.append(permit) }
            case 5...7 where !held.isEmpty:
                let outcomes: [Outcome?] = [.success, .failure(.timeout), .neutral(.cancelled), nil, nil]
                let outcome = outcomes[draw(4)]
                held.remove(at: draw(UInt64(held.count - 1))).settle(outcome, at: Instant(nanoseconds: now))
            case 8 where backwards: now = max(0, now - Int64(draw(2_000_000_000)))
            default: now += Int64(draw(1_500_000_000))
            }
        }
        for permit in held { permit.settle(.success, at: Instant(nanoseconds: now)) }
    }

    private func makeBreaker(_ observer: Audit, _ random: RandomSource) throws -> CircuitBreaker {
        let configuration = CircuitBreaker.Configuration {
            $0.window = .calls(5)
            $0.minimumCalls = 2
            $0.openDuration = .milliseconds(500)
        }
        return try CircuitBreaker("breaker", configuration, observer: observer, random: random)
    }

    @Test func gatesOfProductionKeepTheirPromises() throws {
        for seed in 0..<2_000 {
            let random = RandomSource.seeded(UInt64(seed))
            let audit = Audit(), observer = Audit()
            let burst = 4 + Int(random.next(through: 6))
            let meter = try RateMeter(units: 7, per: .seconds(3), burst: burst)
            let rate = Rate(7, per: .seconds(3))
            let bucket = try TokenBucket("bucket", .init(rate: rate, burst: UInt32(burst), unit: .tokens))
            let keyed = try KeyedTokenBucket(
                "keyed", .init(rate: rate, burst: UInt32(burst), unit: .tokens, keys: 16))
            let breaker = try makeBreaker(observer, random)
            torment(audit.gate(bucket, meter: meter) { $0.tokens.total }, random)
            torment(audit.gate(keyed, meter: meter, perKey: true) { $0.tokens.total }, random)
            torment(audit.gate(breaker), random)
            #expect(audit.violations == [], "seed \(seed)")
            #expect(observer.violations == [], "seed \(seed)")
        }
    }

    @Test func threadsMayShareAnAuditedGate() async throws {
        let rate = Rate(1_000, per: .seconds(1))
        let bucket = try TokenBucket("bucket", .init(rate: rate, burst: 50))
        let gate = audit.gate(bucket, meter: try RateMeter(units: 1_000, per: .seconds(1), burst: 50))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for step in 0..<2_000 as Range<Int64> {
                        let now = Instant(nanoseconds: 1_000_000_000 + step * 100_000)
                        guard let permit = try? gate.admit(Call(), at: now) else { continue }
                        permit.settle(.success, at: now)
                    }
                }
            }
        }
        #expect(gate.counts.settled == 249)
        #expect(gate.counts.open == 0)
        try audit.check()
    }

    @Test func theyKeepThemUnderAClockThatGoesBack() throws {
        for seed in 0..<2_000 {
            let random = RandomSource.seeded(UInt64(seed))
            let audit = Audit(timeMayGoBack: true)
            let meter = try RateMeter(units: 7, per: .seconds(3), burst: 6)
            let bucket = try TokenBucket("bucket", .init(rate: Rate(7, per: .seconds(3)), burst: 6, unit: .tokens))
            let breaker = try makeBreaker(audit, random)
            let keyed = try KeyedTokenBucket(
                "keyed", .init(rate: Rate(7, per: .seconds(3)), burst: 6, unit: .tokens, keys: 16))
            torment(audit.gate(bucket, meter: meter) { $0.tokens.total }, random, backwards: true)
            torment(audit.gate(keyed, meter: meter, perKey: true) { $0.tokens.total }, random, backwards: true)
            torment(audit.gate(breaker), random, backwards: true)
            #expect(audit.violations == [], "seed \(seed)")
        }
    }
}
