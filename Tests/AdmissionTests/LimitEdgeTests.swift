import Admission
import SpillwayCore
import Testing

/// What limits on calls in flight are told at the edges.
@Suite struct LimitEdgeTests {
    @Test(arguments: [ConcurrencyLimit.Rule.gradient(), .vegas(), .aimd(latency: .milliseconds(1))])
    func callsTooShortToMeasureAreNoTrouble(_ rule: ConcurrencyLimit.Rule) throws {
        let limit = try ConcurrencyLimit("limit", .init(.adaptive(rule), in: 1...100, initially: 2))
        var now = at(1)
        for _ in 0..<2_000 {
            let permits = [
                try HeldPermit(limit.admit(Call(), at: now), use: 0),
                try HeldPermit(limit.admit(Call(), at: now), use: 1),
            ]
            now = now.advanced(by: .nanoseconds(500))
            for permit in permits { permit.keep(at: now) }
            now = now.advanced(by: .milliseconds(5))
        }
        #expect(limit.inFlight == 0 && (1...100).contains(limit.limit))
    }

    @Test func shadowThatEndsInBetweenLosesNoPlace() throws {
        let partitions = ConcurrencyLimit.Partitions.byKey(["acme": 0.5], lending: 0)
        func configuration(shadow: Bool) -> ConcurrencyLimit.Configuration {
            .init(.fixed(2), partitions: partitions, shadow: shadow)
        }
        let limit = try ConcurrencyLimit("limit", configuration(shadow: true))
        let held = try (0..<6).map { try HeldPermit(limit.admit(Call(key: "acme"), at: at(1)), use: $0) }
        try limit.update(configuration(shadow: false), at: at(1))
        #expect(throws: Rejection.self) { try limit.admit(Call(key: "acme"), at: at(1)).void(at: at(1)) }
        for permit in held { permit.keep(at: at(2)) }
        try limit.admit(Call(key: "acme"), at: at(3)).settle(.success, at: at(3))
        #expect(limit.inFlight == 0)
    }
}
