import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// Replicas that refuse or fail at once.
extension FleetTroubleTests {
    /// Calls of a kind, one every 10 ms; how many went to the replica that ends all of them so.
    private func calls(
        _ count: Int, _ fleet: Fleet, prompt: String? = nil, firstEndsWith outcome: Outcome
    ) throws -> Int {
        var bad = 0
        for number in 0..<count {
            let now = after(1 + Double(number) / 100)
            let prefix = Prefix(of: prompt ?? "prompt \(number)", model: "llama", tokens: 1_000)
            let place = try fleet.place(call(), prefix: prefix, at: now)
            if place.member.name == "gpu-0" {
                bad += 1
                place.settle(outcome, at: now.advanced(by: .milliseconds(1)))
            } else {
                place.firstToken(at: now.advanced(by: .milliseconds(5)))
                place.settle(.success, at: now.advanced(by: .milliseconds(8)))
            }
        }
        return bad
    }

    @Test(arguments: [
        Outcome.neutral(.rateLimited), .failure(.serverError), .failure(.connect), .neutral(.authentication),
    ])
    func whoRefusesAtOnceIsNotThoughtIdle(outcome: Outcome) throws {
        for prompt in ["the same for all", nil] {
            let bad = try calls(1_000, try fleet(4), prompt: prompt, firstEndsWith: outcome)
            #expect(bad < 10, "\(prompt ?? "different prompts")")
        }
    }

    @Test func whatSaysNothingOfAReplicaCoolsItNot() throws {
        for outcome in [Outcome.neutral(.cancelled), .neutral(.invalidRequest), .neutral(.contentFiltered)] {
            #expect(try calls(1_000, try fleet(4), firstEndsWith: outcome) > 100)
        }
    }

    @Test func aReplicaIsNotAskedBeforeThePauseIsOverThatItAskedFor() throws {
        let fleet = try fleet(2)
        for _ in 0..<2 {
            try fleet.place(call(), at: after(1)).settle(.neutral(.rateLimited, retryAfter: .seconds(9)), at: after(1))
        }
        let refusal = #expect(throws: Rejection.self) { _ = try fleet.place(call(), at: after(4)) }
        #expect(refusal?.reason == .rateLimited && refusal?.retryAfter == .seconds(6))
        #expect(throws: Rejection.self) { _ = try fleet.admit(call(), at: after(9.9)) }
        _ = try fleet.place(call(), at: after(10))
    }

    @Test func aPauseOfOneIsNoPauseOfTheFleet() throws {
        let fleet = try fleet(2) { $0.queueAge = .seconds(1) }
        let name = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        name.settle(.neutral(.rateLimited, retryAfter: .seconds(3_600)), at: after(1))
        // A hedge avoids the other, and what waits there is old.
        let avoiding = #expect(throws: Rejection.self) {
            _ = try fleet.place(call(), avoiding: ["gpu-1"], at: after(2))
        }
        #expect(avoiding?.reason == .noTarget && avoiding?.retryAfter == nil)
        let waits = FleetTests.Box(try fleet.place(call(), at: after(2)))
        let full = #expect(throws: Rejection.self) { _ = try fleet.place(call(), at: after(9)) }
        #expect(full?.reason == .saturated && full?.retryAfter == nil)
        withExtendedLifetime(waits) {}
    }

    @Test func whatBeganBeforeAFaultNeitherEndsItNorAddsToIt() throws {
        let fleet = try fleet(2)
        var open: [FleetTests.Box] = []
        for _ in 0..<7 { open.append(FleetTests.Box(try fleet.place(call(), avoiding: ["gpu-1"], at: after(0)))) }
        // A long answer, and a burst of refusals at once.
        for box in open[1...] { box.placement.take()?.settle(.neutral(.rateLimited), at: after(1)) }
        open[0].placement.take()?.settle(.success, at: after(1.5))
        #expect(try names(fleet, 10, at: after(1.9)) == ["gpu-1": 10], "the answer says nothing of what came after")
        #expect(try names(fleet, 10, at: after(2.1))["gpu-0"] != nil, "and six are one")
    }

    @Test func inAPanicWhoCoolsDownIsNotPreferred() throws {
        let fleet = try fleet(3) { $0.rule = .leastOutstanding }
        for name in 0..<2 {
            let others = (0..<3).filter { $0 != name }.map { "gpu-\($0)" }
            try fleet.place(call(), avoiding: others, at: after(1)).settle(.neutral(.rateLimited), at: after(1))
        }
        var open: [FleetTests.Box] = []
        for _ in 0..<20 { open.append(FleetTests.Box(try fleet.place(call(), at: after(1.5)))) }
        #expect(open.allSatisfy { $0.name == "gpu-2" })
    }

    @Test func whoCoolsDownIsAskedWhereNobodyElseIsLeftAndServesAgainOnceItAnswers() throws {
        let fleet = try fleet(2)
        for second in 0..<6 {
            let place = try fleet.place(call(), avoiding: ["gpu-1"], at: after(Double(second)))
            #expect(place.member.name == "gpu-0")
            place.settle(.failure(.connect), at: after(Double(second)))
        }
        #expect(try names(fleet, 10, at: after(6)) == ["gpu-1": 10])
        let place = try fleet.place(call(), avoiding: ["gpu-1"], at: after(7))
        place.settle(.success, at: after(7))
        #expect(try names(fleet, 10, at: after(7))["gpu-0"] != nil)
    }
}
