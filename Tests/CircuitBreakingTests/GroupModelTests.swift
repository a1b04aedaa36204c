import CircuitBreaking
import SpillwayCore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct GroupModelTests {
    /// Members come and go, fail, recover, are forced and updated; after each step the group is what its members say.
    @Test func agreesWithItsMembers() throws {
        try forSeeds(1_000) { seed, random in
            let group = try BreakerGroup(
                "group",
                .init(
                    mostOpen: .random(in: 0...1, using: &random), atLeast: .random(in: 0...2, using: &random),
                    panicAbove: .random(in: 0...1, using: &random)))
            var members: [CircuitBreaker] = [], now = 0.0
            for step in 0..<200 {
                let context = "seed \(seed), step \(step)"
                let before = group.standing, states = members.map(place)
                apply(try Step(&random, members.count), to: &members, of: group, &now)
                let after = group.standing
                #expect(after.members == members.count, "\(context)")
                #expect(after.open == members.count { place($0) == .open }, "\(context)")
                #expect(after.isolated == members.count { place($0) == .isolated }, "\(context)")
                let most = Int(Double(members.count) * group.configuration.mostOpen + 1e-9)
                #expect(after.mostOpen == max(most, min(members.count, group.configuration.atLeast)), "\(context)")
                if after.open > before.open { #expect(after.open <= after.mostOpen, "\(context)") }
                let out = Double(after.open + after.isolated) / Double(max(1, members.count))
                #expect(
                    after.isPanicking == (members.count > 1 && out > group.configuration.panicAbove + 1e-9),
                    "\(context), \(states)")
            }
            members = []
            #expect(group.standing.members == 0 && group.standing.open == 0 && group.standing.isolated == 0)
        }
    }

    private enum Step {
        case join, leave(Int), call(Int, Bool), wait(Double), force(Int, Int), mode(Int)

        init(_ random: inout RandomSource, _ count: Int) throws {
            let dice = Int.random(in: 0..<100, using: &random)
            let member = count == 0 ? 0 : Int.random(in: 0..<count, using: &random)
            switch dice {
            case _ where count == 0, 0..<8: self = .join
            case 8..<12: self = .leave(member)
            case 12..<70: self = .call(member, dice < 50)
            case 70..<82: self = .wait(.random(in: 0...8, using: &random))
            case 82..<94: self = .force(member, dice % 4)
            default: self = .mode(member)
            }
        }
    }

    private func apply(
        _ step: Step, to members: inout [CircuitBreaker], of group: BreakerGroup, _ now: inout Double
    ) {
        switch step {
        case .join:
            var configuration = CircuitBreaker.Configuration()
            configuration.window = .consecutive(2)
            configuration.probes = 2
            members.append(try! CircuitBreaker("member", configuration, group: group))
        case .leave(let index): members.remove(at: index)
        case .call(let index, let fails): members[index].call(fails ? .failure(.timeout) : .success, at: at(now))
        case .wait(let seconds): now += seconds
        case .force(let index, 0): members[index].isolate(at: at(now))
        case .force(let index, 1): members[index].disable(at: at(now))
        case .force(let index, 2): members[index].probe(at: at(now))
        case .force(let index, _): members[index].close(at: at(now))
        case .mode(let index):
            var configuration = members[index].configuration
            configuration.mode = configuration.mode == .shadow ? .enforcing : .shadow
            try! members[index].update(configuration)
        }
    }

    private enum Place { case none, open, isolated }

    private func place(_ breaker: CircuitBreaker) -> Place {
        if breaker.configuration.mode == .shadow { return .none }
        return switch breaker.currentState {
        case .open, .halfOpen: .open
        case .isolated: .isolated
        case .closed, .disabled: .none
        }
    }

    private final class Seen: Sendable {
        let open = Atomic(0)
        let most = Atomic(0)
        let openings = Atomic(0)
    }

    /// Each thread owns one breaker, and counts it as open from after it opened until before it closes: at no moment may
    /// that be more than the share.
    @Test func neverMoreThanTheShareAtAnyInterleaving() async throws {
        for round in 0..<20 {
            let group = try BreakerGroup("group", .init(mostOpen: 0.3))
            let members = try (0..<10).map { _ in
                try CircuitBreaker("member", .init { $0.window = .consecutive(1) }, group: group)
            }
            let seen = Seen()
            await withTaskGroup(of: Void.self) { tasks in
                for member in members {
                    tasks.addTask {
                        for _ in 0..<500 {
                            member.call(.failure(.timeout), at: at(1))
                            guard member.currentState == .open else { continue }
                            let now = seen.open.add(1, ordering: .sequentiallyConsistent).newValue
                            seen.openings.add(1, ordering: .relaxed)
                            seen.most.max(now, ordering: .relaxed)
                            for _ in 0..<50 { _ = group.standing }
                            seen.open.subtract(1, ordering: .sequentiallyConsistent)
                            member.close(at: at(1))
                        }
                    }
                }
            }
            #expect(seen.most.load(ordering: .relaxed) <= 3, "round \(round)")
            #expect(seen.openings.load(ordering: .relaxed) > 0, "round \(round)")
            #expect(group.standing.open == 0, "round \(round)")
        }
    }

    @Test func allAtOnceOpenExactlyTheShare() async throws {
        for round in 0..<100 {
            let group = try BreakerGroup("group", .init(mostOpen: 0.5))
            let members = try (0..<8).map { _ in
                try CircuitBreaker("member", .init { $0.window = .consecutive(1) }, group: group)
            }
            await withTaskGroup(of: Void.self) { tasks in
                for member in members {
                    tasks.addTask { for _ in 0..<5 { member.call(.failure(.timeout), at: at(1)) } }
                }
            }
            #expect(members.count { $0.currentState == .open } == 4, "round \(round)")
            #expect(group.standing.open == 4, "round \(round)")
        }
    }
}
