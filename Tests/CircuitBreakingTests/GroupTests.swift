import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct GroupTests {
    /// Members without jitter or ramp that open after one failure.
    private func members(
        _ count: Int, of group: BreakerGroup, _ change: (inout CircuitBreaker.Configuration) -> Void = { _ in }
    ) throws -> [CircuitBreaker] {
        try (0..<count).map { try member($0, of: group, change) }
    }

    private func member(
        _ number: Int, of group: BreakerGroup, _ change: (inout CircuitBreaker.Configuration) -> Void = { _ in }
    ) throws -> CircuitBreaker {
        var configuration = CircuitBreaker.Configuration()
        configuration.window = .consecutive(1)
        configuration.openJitter = 0
        configuration.ramp = .zero
        configuration.probes = 1
        configuration.probeSuccessRatio = 1
        change(&configuration)
        return try CircuitBreaker("replica-\(number)", configuration, group: group)
    }

    /// Members, open, isolated, and how many may be open; the group does not panic.
    private func figures(_ group: BreakerGroup) -> [Int] {
        let standing = group.standing
        #expect(!standing.isPanicking)
        return [standing.members, standing.open, standing.isolated, standing.mostOpen]
    }

    @Test func onlyAShareOpensAndTheRestGoesOnCounting() throws {
        let group = try BreakerGroup("replicas")
        let members = try members(5, of: group)
        for member in members { member.call(.failure(.timeout), at: at(1)) }
        #expect(members.map(\.currentState) == [.open, .open, .closed, .closed, .closed])
        #expect(members[4].counts(at: at(1)).failures == 1)
        #expect(group.standing.open == 2 && group.standing.mostOpen == 2 && group.standing.members == 5)
        #expect(!members[0].call(.success, at: at(2)))
        #expect(members[4].call(.success, at: at(2)))
    }

    @Test(arguments: [CircuitBreaker.Window.calls(10), .calls(100), .time(.seconds(60)), .consecutive(10)])
    func whoHadToWaitOpensAtItsNextFailure(_ window: CircuitBreaker.Window) throws {
        let group = try BreakerGroup("replicas")
        let first = try member(0, of: group)
        let second = try member(1, of: group) { $0.window = window }
        first.call(.failure(.timeout), at: at(1))
        for _ in 0..<30 { #expect(second.call(.failure(.timeout), at: at(1))) }
        #expect(second.currentState == .closed)
        #expect(first.call(.success, at: at(12)), "its probe gives the place back")
        #expect(group.standing.open == 0)
        second.call(.failure(.timeout), at: at(12))
        #expect(second.currentState == .open)
    }

    @Test func callsThatDoNotComeBackWaitForAPlaceToo() throws {
        let group = try BreakerGroup("replicas")
        let first = try member(0, of: group)
        let second = try member(1, of: group) { $0.stuck = .init(olderThan: .seconds(7), calls: 2, share: 0) }
        first.call(.failure(.timeout), at: at(0))
        let held = try second.hold(3, at: at(0))
        #expect(second.call(.success, at: at(20)), "there is no place")
        first.close(at: at(20))
        #expect(!second.call(.success, at: at(20)))
        held.settle(.success, at: at(21))
    }

    @Test func aHalfOpenBreakerKeepsItsPlace() throws {
        let group = try BreakerGroup("replicas")
        let members = try members(3, of: group)
        members[0].call(.failure(.timeout), at: at(1))
        let probe = try members[0].admit(at: at(12))
        #expect(members[0].currentState == .halfOpen)
        members[1].call(.failure(.timeout), at: at(12))
        #expect(members[1].currentState == .closed)
        probe.settle(.failure(.timeout), at: at(13))
        #expect(members[0].currentState == .open && group.standing.open == 1)
    }

    @Test func oneMayAlwaysOpenUnlessToldOtherwise() throws {
        let group = try BreakerGroup("replicas", .init(mostOpen: 0.1))
        let members = try members(3, of: group)
        for member in members { member.call(.failure(.timeout), at: at(1)) }
        #expect(members.map(\.currentState) == [.open, .closed, .closed])
        #expect(!members[0].call(.success, at: at(1)))
        let none = try BreakerGroup("none", .init(mostOpen: 0.1, atLeast: 0))
        let guarded = try member(0, of: none)
        guarded.call(.failure(.timeout), at: at(1))
        #expect(guarded.currentState == .closed)
        let alone = try BreakerGroup("alone")
        let single = try member(0, of: alone)
        single.call(.failure(.timeout), at: at(1))
        #expect(!single.call(.success, at: at(1)), "one alone does not panic")
    }

    @Test func inPanicNothingIsRefusedButByHand() throws {
        let observer = RecordingObserver()
        let group = try BreakerGroup("replicas", observer: observer)
        let members = try members(4, of: group)
        members[0].call(.failure(.timeout), at: at(1))
        members[1].call(.failure(.timeout), at: at(1))
        #expect(!group.standing.isPanicking, "half is not more than half")
        #expect(!members[0].call(.success, at: at(2)))
        members[2].isolate(at: at(3))
        #expect(group.standing.isPanicking && group.standing.isolated == 1)
        for _ in 0..<5 { #expect(members[0].call(.failure(.timeout), at: at(4))) }
        #expect(members[0].currentState == .open, "such calls count for nothing")
        #expect(members[1].call(.success, at: at(4)))
        #expect(!members[2].call(.success, at: at(4)), "what was done by hand stays")
        // Time heals in panic as it does else: the first call probes, the next passes beside it.
        let probe = try members[0].admit(at: at(12))
        #expect(members[0].currentState == .halfOpen)
        #expect(members[0].call(.success, at: at(12)))
        probe.settle(.success, at: at(12))
        #expect(members[0].currentState == .closed)
        #expect(!group.standing.isPanicking)
        #expect(!members[1].call(.failure(.timeout), at: at(10.5)))
        #expect(observer.transitions.map(\.to) == ["panicking", "calm"])
        #expect(observer.transitions.map(\.at) == [at(3), at(12)])
        #expect(observer.transitions.map(\.gate) == ["replicas", "replicas"])
    }

    @Test func whoeverLeavesTakesItsPlaceAlong() throws {
        let group = try BreakerGroup("replicas", .init(panicAbove: 0.9))
        var members = try members(4, of: group)
        for member in members { member.call(.failure(.timeout), at: at(1)) }
        members[3].isolate(at: at(1))
        #expect(figures(group) == [4, 2, 1, 2])
        members.removeLast()
        #expect(figures(group) == [3, 2, 0, 1])
        members.removeFirst()
        #expect(figures(group) == [2, 1, 0, 1])
        members.removeAll()
        #expect(figures(group) == [0, 0, 0, 0])
        // The next life of the same states is in no group.
        let alone = try makeBreaker()
        alone.trip(at: at(2))
        #expect(alone.currentState == .open && group.standing.open == 0)
    }

    @Test func shadowModeTakesNoPlaceAndEndsWithoutOne() throws {
        let group = try BreakerGroup("replicas")
        let members = try members(2, of: group) { $0.mode = .shadow }
        for member in members { member.call(.failure(.timeout), at: at(1)) }
        #expect(members.map(\.currentState) == [.open, .open])
        #expect(group.standing.open == 0)
        for member in members {
            var configuration = member.configuration
            configuration.mode = .enforcing
            try member.update(configuration)
        }
        #expect(members.map(\.currentState) == [.open, .closed])
        #expect(group.standing.open == 1)
        var configuration = members[0].configuration
        configuration.mode = .shadow
        try members[0].update(configuration)
        #expect(members[0].currentState == .open && group.standing.open == 0)
        members[1].call(.failure(.timeout), at: at(2))
        #expect(members[1].currentState == .open, "the place is free again")
    }

    @Test func anUpdateHoldsFromTheNextOpeningOn() throws {
        let group = try BreakerGroup("replicas", .init(panicAbove: 1))
        let members = try members(4, of: group)
        for member in members { member.call(.failure(.timeout), at: at(1)) }
        try group.update(.init(mostOpen: 0.25, panicAbove: 0.4))
        #expect(group.standing.open == 2 && group.standing.mostOpen == 1 && group.standing.isPanicking)
        #expect(members[0].call(.success, at: at(2)))
        try group.update(.init(mostOpen: 1, panicAbove: 1))
        #expect(!members[0].call(.success, at: at(2)))
        for member in members { member.call(.failure(.timeout), at: at(2)) }
        #expect(members.allSatisfy { $0.currentState == .open })
    }

    @Test func badConfigurationsAreNamed() throws {
        let bad: [(BreakerGroup.Configuration, String)] = [
            (.init(mostOpen: -0.1), "mostOpen"), (.init(mostOpen: 1.1), "mostOpen"),
            (.init(mostOpen: .nan), "mostOpen"),
            (.init(atLeast: -1), "atLeast"), (.init(atLeast: 1_000_001), "atLeast"),
            (.init(panicAbove: -1), "panicAbove"), (.init(panicAbove: .infinity), "panicAbove"),
        ]
        let group = try BreakerGroup("replicas")
        for (configuration, field) in bad {
            #expect(throws: ConfigurationError.self) { _ = try BreakerGroup("replicas", configuration) }
            let error = #expect(throws: ConfigurationError.self) { try group.update(configuration) }
            #expect(error?.field == field)
        }
        #expect(group.configuration == .init())
        #expect(throws: ConfigurationError.self) { _ = try BreakerGroup("") }
    }
}
