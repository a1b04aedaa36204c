import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct ShrinkTests {
    private func script(_ count: Int, seed: UInt64 = 1) throws -> FaultScript {
        try .random(using: .seeded(seed), replicas: 4, zones: 2, calls: 9, span: .seconds(60), count: count)
    }

    @Test func fortyFaultsShrinkToTheTwoThatMatter() throws {
        let filler = try script(38).faults
        let crash = try Fault.crash(.replica(77), at: .seconds(3), for: .seconds(8))
        let errors = try Fault.errors(.replica(78), rate: 0.8, at: .seconds(3), for: .seconds(8))
        for seed in 0..<20 as Range<UInt64> {
            var faults = filler
            let random = RandomSource.seeded(seed)
            for fault in [crash, errors] { faults.insert(fault, at: Int(random.next() % UInt64(faults.count + 1))) }
            var tries = 0
            let least = FaultScript(faults).shrunk { script in
                tries += 1
                let places = script.faults.map(\.place)
                return places.contains(.replica(77)) && places.contains(.replica(78))
            }
            #expect(least.faults.count == 2, "seed \(seed)")
            #expect(tries <= 150, "seed \(seed): \(tries) tries")
        }
    }

    @Test func whatIsLeftIsAsShortAndWeakAsItMayBe() throws {
        let script: FaultScript = try [
            .latency(.replica(0), adding: .seconds(4), at: .seconds(1), for: .seconds(10)),
            .errors(.replica(0), rate: 0.8, at: .seconds(1), for: .seconds(10)),
            .clockJump(by: .seconds(-8), at: .seconds(4)),
            .rateLimit(.replica(1), retryAfter: .seconds(1), at: .zero, for: .milliseconds(9)),
        ]
        let least = script.shrunk { script in
            // The latency must last for 2 s, and the errors be one in ten; jump and refusals must only be there.
            script.faults.count == 4
                && script.faults.allSatisfy { fault in
                    switch fault.kind {
                    case .latency: fault.length >= .seconds(2)
                    case .errors(let rate): rate >= 0.1
                    default: true
                    }
                }
        }
        let expected = """
            try [
                .latency(.replica(0), adding: .milliseconds(1), at: .seconds(1), for: .milliseconds(2500)),
                .errors(.replica(0), rate: 0.1, at: .seconds(1), for: .milliseconds(1)),
                .clockJump(by: .milliseconds(-1), at: .seconds(4)),
                .rateLimit(.replica(1), retryAfter: nil, at: .zero, for: .milliseconds(1)),
            ]
            """
        #expect("\(least)" == expected)
    }

    @Test func noFaultOfTheResultCanBeLeftOut() throws {
        for seed in 0..<50 as Range<UInt64> {
            let random = RandomSource.seeded(seed)
            let whole = try script(1 + Int(random.next() % 30), seed: seed)
            let needed = whole.faults.filter { _ in random.next() % 4 == 0 }
            let least = whole.shrunk(tries: 5_000) { script in
                Set(needed.map(\.start)).isSubset(of: Set(script.faults.map(\.start)))
            }
            #expect(Set(least.faults.map(\.start)) == Set(needed.map(\.start)), "seed \(seed)")
        }
    }

    @Test func whatFailsWithoutFaultsShrinksToNone() throws {
        #expect(try script(40).shrunk { _ in true } == [])
        #expect(FaultScript().shrunk { _ in true } == [])
    }

    @Test func itGivesUpAfterTheStatedTries() throws {
        var tries = 0
        let least = try script(40).shrunk(tries: 7) { script in
            tries += 1
            return script.faults.count > 30
        }
        #expect(tries == 7)
        #expect(least.faults.count > 30)
    }

    @Test func theSameScriptShrinksTheSameWay() throws {
        func least() throws -> FaultScript {
            try script(40).shrunk { script in script.faults.count { $0.length > .seconds(2) } >= 3 }
        }
        #expect(try least() == least())
    }

    @Test func whatTheQuestionThrowsComesOut() throws {
        let script = try script(4)
        #expect(throws: CancellationError.self) { try script.shrunk { _ in throw CancellationError() } }
    }
}
