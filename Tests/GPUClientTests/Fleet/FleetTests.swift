import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite struct FleetTests {
    static let start = Instant(nanoseconds: 1_000_000_000_000)

    func after(_ seconds: Double) -> Instant { Self.start.advanced(by: .seconds(seconds)) }

    func members(_ count: Int, window: Int? = nil) -> [Member] {
        (0..<count).map { number in
            var member = Member("gpu-\(number)", address: "10.0.0.\(number):8000")
            member.window = window
            return member
        }
    }

    func fleet(_ count: Int = 4, _ change: (inout Fleet.Configuration) -> Void = { _ in }) throws -> Fleet {
        try Fleet("llama", .init(change), members: members(count), at: Self.start, random: .seeded(1))
    }

    func call(_ tokens: Int = 1_000) -> Call {
        Call(tokens: .estimate(input: tokens, maxOutput: 100), streams: true)
    }

    func prefix(_ conversation: UInt64, blocks: Int) -> Prefix {
        Prefix(
            blocks: (0..<UInt64(blocks)).map { conversation << 32 | $0 + 1 }, tokensPerBlock: 128, tokens: blocks * 128)
    }

    @Test func aPromptGoesWhereItsBeginningWasComputed() throws {
        let fleet = try fleet()
        let first = try fleet.place(call(), prefix: prefix(1, blocks: 10), at: after(0))
        let home = first.member.name
        #expect(first.cachedTokens == 0 && first.predicted == nil)
        first.firstToken(at: after(1))
        first.settle(.success, at: after(2))
        for turn in 11..<15 {
            let next = try fleet.place(call(), prefix: prefix(1, blocks: turn), at: after(Double(turn)))
            #expect(next.member.name == home && next.cachedTokens == (turn - 1) * 128)
            #expect(next.predicted != nil)
            next.firstToken(at: after(Double(turn) + 0.1))
            next.settle(.success, at: after(Double(turn) + 0.2))
        }
        let other = try fleet.place(call(), prefix: prefix(2, blocks: 10), at: after(20))
        #expect(other.cachedTokens == 0)
    }

    @Test func aPromptIsComputedTwiceRatherThanWaitsForLong() throws {
        let fleet = try fleet(2)
        var open: [Box] = []
        func ask(_ conversation: UInt64, avoiding avoided: [String] = []) throws -> String {
            let box = try Box(
                fleet.place(call(), prefix: prefix(conversation, blocks: 8), avoiding: avoided, at: after(0)))
            open.append(box)
            return box.name
        }
        let home = try ask(1), other = home == "gpu-0" ? "gpu-1" : "gpu-0"
        #expect(try ask(1) == home, "a little more work there is less than all of it anew")
        for conversation in UInt64(2)..<32 { _ = try ask(conversation, avoiding: [other]) }
        #expect(try ask(1) == other, "thirty prompts are ahead there")
    }

    /// Ends it without an outcome.
    static func keep(_ placement: consuming Placement) {}

    @Test func loadIsSpreadWhereNothingIsShared() throws {
        let fleet = try fleet(4)
        var counts: [String: Int] = [:], open: [Box] = []
        for _ in 0..<400 {
            let box = try Box(fleet.place(call(), at: after(0)))
            counts[box.name, default: 0] += 1
            open.append(box)
        }
        #expect(counts.values.allSatisfy { $0 == 100 }, "\(counts)")
        for box in open { box.placement.take()?.settle(.success, at: after(1)) }
        #expect(
            fleet.standings(at: after(1)).allSatisfy { $0.calls == 0 && $0.pendingTokens == 0 && $0.heldTokens == 0 })
    }

    final class Box {
        let name: String
        let began: Instant
        private(set) var hasFirst = false
        var placement: Placement?

        init(_ placement: consuming Placement, at began: Instant = start) {
            name = placement.member.name
            self.began = began
            self.placement = consume placement
        }

        func firstToken(at now: Instant) {
            hasFirst = true
            placement?.firstToken(at: now)
        }
    }

    @Test(arguments: FleetRule.allCases) func countsAreNeverLost(_ rule: FleetRule) throws {
        for seed in UInt64(1)...30 {
            var random = RandomSource.seeded(seed)
            let fleet = try fleet(5) { $0.rule = rule }
            var open: [Box] = [], now = after(0)
            for _ in 0..<400 {
                now = now.advanced(by: .milliseconds(Int64.random(in: 0...50, using: &random)))
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    let blocks = Int.random(in: 0...20, using: &random)
                    try open.append(
                        Box(
                            fleet.place(
                                call(), prefix: prefix(UInt64.random(in: 1...5, using: &random), blocks: blocks),
                                at: now), at: now))
                case 2: open.randomElement(using: &random)?.firstToken(at: now)
                case 3 where !open.isEmpty:
                    let box = open.remove(at: Int.random(in: open.indices, using: &random))
                    let usage = Bool.random(using: &random) ? Usage(input: 500, cacheRead: 128, output: 5) : nil
                    box.placement.take()?.settle(
                        Bool.random(using: &random) ? .success : .failure(.timeout), usage: usage, at: now)
                // Dropped without a word.
                case 4 where !open.isEmpty: open.removeLast()
                default: break
                }
                let standings = fleet.standings(at: now)
                #expect(standings.reduce(0) { $0 + $1.calls } == open.count, "seed \(seed)")
                for standing in standings {
                    let waiting = open.filter { $0.name == standing.member.name && !$0.hasFirst }
                    #expect(standing.waiting == waiting.count, "seed \(seed)")
                    let oldest = waiting.map(\.began).min()
                    #expect(standing.oldestWait == oldest.map { $0.duration(to: now) } ?? .zero, "seed \(seed)")
                }
                #expect(standings.allSatisfy { $0.pendingTokens >= 0 && $0.heldTokens >= 0 }, "seed \(seed)")
                for standing in standings where standing.calls == 0 {
                    #expect(standing.pendingTokens == 0 && standing.heldTokens == 0, "seed \(seed)")
                }
            }
        }
    }

    @Test func whatIsAvoidedOrTooSmallIsNotAsked() throws {
        let fleet = try fleet(2)
        for _ in 0..<10 {
            let place = try fleet.place(call(), avoiding: ["gpu-0"], at: after(0))
            #expect(place.member.name == "gpu-1")
        }
        #expect(reason { try fleet.place(call(), avoiding: ["gpu-0", "gpu-1"], at: after(0)) } == .noTarget)
        let small = try Fleet("small", members: members(2, window: 1_000), at: Self.start)
        #expect(reason { try small.place(call(901), at: after(0)) } == .windowTooSmall)
        Self.keep(try small.place(call(900), at: after(0)))
    }

    func reason(_ body: () throws -> Placement) -> Reason? {
        do {
            Self.keep(try body())
            return nil
        } catch { return (error as? Rejection)?.reason }
    }

    @Test func withHealthChecksOnlyReadyReplicasAreAsked() throws {
        let fleet = try fleet(3) { $0.health = .init() }
        #expect(reason { try fleet.place(call(), at: after(0)) } == .noTarget, "nobody was probed yet")
        for name in ["gpu-0", "gpu-1", "gpu-2"] {
            let health = try #require(fleet.health(of: name)), probe = try #require(health.beginProbe(at: after(1)))
            health.probed(probe, .generated(firstToken: .milliseconds(50), kvUse: 0.1), at: after(1))
        }
        // One that hangs is out at once.
        let hung = try fleet.place(call(), at: after(100))
        let sick = hung.member.name
        hung.hung(at: after(110))
        hung.settle(.failure(.timeout), at: after(110))
        for _ in 0..<20 {
            let place = try fleet.place(call(), at: after(110))
            #expect(place.member.name != sick)
        }
        #expect(fleet.standings(at: after(110)).count { $0.phase == .ready } == 2)
        // Where too few are well, a poor chance is better than none.
        for name in ["gpu-0", "gpu-1", "gpu-2"] where name != sick {
            fleet.health(of: name)?.declareDead(at: after(111))
        }
        let last = try fleet.place(call(), at: after(111))
        #expect(last.member.name == sick)
        #expect(fleet.health(of: "nobody") == nil)
    }

    @Test func aDrainedReplicaEndsWhatItHasAndGetsNoMore() throws {
        let fleet = try fleet(2) { $0.health = .init() }
        for name in ["gpu-0", "gpu-1"] {
            let health = try #require(fleet.health(of: name)), probe = try #require(health.beginProbe(at: after(1)))
            health.probed(probe, .generated(firstToken: .milliseconds(50), kvUse: 0.1), at: after(1))
        }
        var open: [Box] = []
        for _ in 0..<100 { try open.append(Box(fleet.place(call(), at: after(60)))) }
        let health = try #require(fleet.health(of: "gpu-0")), there = open.count { $0.name == "gpu-0" }
        #expect(there >= 25)
        let report = health.drain(deadline: after(120), at: after(60))
        #expect(report.running == there)
        for _ in 0..<50 {
            let box = try Box(fleet.place(call(), at: after(61)))
            #expect(box.name == "gpu-1")
        }
        for box in open { box.placement.take()?.settle(.success, at: after(70)) }
        let end = try #require(health.streams.drainReport)
        #expect(end.finished == there && end.lost == 0 && end.left == 0)
    }

    @Test func membersComeAndGo() throws {
        let fleet = try fleet(2)
        let old = try Box(fleet.place(call(), prefix: prefix(1, blocks: 4), avoiding: ["gpu-1"], at: after(0)))
        #expect(old.name == "gpu-0")
        try fleet.update([members(2)[1], Member("new", address: "10.0.1.1:8000")], at: after(1))
        #expect(Set(fleet.members.map(\.name)) == ["gpu-1", "new"])
        var names: Set<String> = []
        for _ in 0..<10 {
            let box = try Box(fleet.place(call(), at: after(1)))
            names.insert(box.name)
        }
        #expect(names == ["gpu-1", "new"])
        old.placement.take()?.settle(.success, at: after(2))
        // Its place is taken again, and what was known of it is gone.
        try fleet.update(fleet.members + [Member("gpu-0", address: "10.0.0.0:8000")], at: after(3))
        #expect(fleet.standings(at: after(3)).first { $0.member.name == "gpu-0" }?.knownPrefixes == 0)
        let before = fleet.members
        #expect(throws: ConfigurationError.self) { try fleet.update([], at: after(4)) }
        #expect(throws: ConfigurationError.self) { try fleet.update(before + before, at: after(4)) }
        #expect(fleet.members == before)
    }

    @Test func aConversationStaysWithItsVersionAndItsReplica() throws {
        let versions = try ["1.2", "1.3", "2.0"].enumerated().map { number, version in
            Member("gpu-\(number)", address: "\(number)", model: "llama", version: try #require(ModelVersion(version)))
        }
        let fleet = try Fleet("llama", members: versions, at: Self.start)
        let session = Session(
            id: "chat", replica: "gpu-1", model: "llama", version: ModelVersion("1.2"), started: 0)
        for _ in 0..<10 {
            let place = try fleet.place(call(), prefix: prefix(9, blocks: 4), session: session, at: after(0))
            #expect(place.member.name == "gpu-1")
        }
        let place = try fleet.place(call(), session: session, avoiding: ["gpu-1"], at: after(1))
        #expect(place.member.name == "gpu-0")
        let refused = reason { try fleet.place(call(), session: session, avoiding: ["gpu-0", "gpu-1"], at: after(1)) }
        #expect(refused == .noTarget, "2.0 is another model")
    }

    @Test func anEngineThatHadKeptLessIsThoughtToHaveWhatItComputed() throws {
        let fleet = try fleet(1)
        for _ in 0..<2 {
            let place = try fleet.place(call(), prefix: prefix(1, blocks: 8), at: after(0))
            place.firstToken(at: after(1))
            place.settle(.success, usage: Usage(input: 1_024, cacheRead: 0, output: 5), at: after(2))
        }
        let place = try fleet.place(call(), prefix: prefix(1, blocks: 8), at: after(3))
        #expect(place.cachedTokens == 8 * 128 - 1)
        place.settle(.success, at: after(4))
    }

    @Test(arguments: [true, false]) func aFleetMayBeginWithoutAReplica(hasHealth: Bool) throws {
        let fleet = try Fleet("f", .init { $0.health = hasHealth ? .init() : nil }, members: [], at: Self.start)
        #expect(fleet.members.isEmpty && fleet.standings(at: after(0)).isEmpty && fleet.health(of: "r0") == nil)
        #expect(fleet.idle(for: .zero, at: after(0)).isEmpty)
        for _ in 0..<2 {
            let refusal = #expect(throws: Rejection.self) { _ = try fleet.place(call(), at: after(0)) }
            #expect(refusal?.reason == .noTarget)
        }
        #expect(throws: Rejection.self) { _ = try fleet.admit(call(), at: after(0)) }
        // To have none from now on is another thing.
        #expect(throws: ConfigurationError.self) { try fleet.update([], at: after(0)) }
        try fleet.update(members(2), at: after(1))
        #expect(fleet.members == members(2))
        // One with health waits for a probe.
        guard !hasHealth else { return }
        let place = try fleet.place(call(), at: after(2))
        place.settle(.success, at: after(3))
    }

    @Test func badFleetsAreRefused() throws {
        #expect(throws: ConfigurationError.self) { try Fleet("", members: members(1), at: Self.start) }
        #expect(throws: ConfigurationError.self) { try Fleet("f", members: members(257), at: Self.start) }
        #expect(throws: ConfigurationError.self) { try Fleet("f", members: members(1) + members(1), at: Self.start) }
        #expect(throws: ConfigurationError.self) { try fleet(1) { $0.panic = 2 } }
        let changes: [(inout Fleet.Configuration) -> Void] = [
            { $0.farther = .seconds(-1) }, { $0.farthest = .seconds(-1) }, { $0.objective = .zero },
            { $0.queueAge = .zero }, { $0.memory = 0 }, { $0.memory = 101 }, { $0.memory = .nan },
        ]
        for change in changes { #expect(throws: ConfigurationError.self) { try fleet(1, change) } }
        #expect(throws: ConfigurationError.self) {
            var member = Member("a", address: "a")
            member.kvTokens = 0
            _ = try Fleet("f", members: [member], at: Self.start)
        }
        Self.keep(try Fleet("f", members: members(256), at: Self.start).place(call(), at: Self.start))
    }
}
