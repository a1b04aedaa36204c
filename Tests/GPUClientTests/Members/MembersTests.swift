import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Members")
struct MembersTests {
    private func member(_ name: String, _ address: String = "a:1", weight: Double = 1, version: Int = 1) -> Member {
        Member(name, address: address, model: "m", version: ModelVersion(version), weight: weight)
    }

    @Test("what is added, removed and changed")
    func changes() throws {
        let members = try Members()
        #expect(try members.update([member("b"), member("a")]).added.map(\.name) == ["a", "b"])
        #expect(members.all.map(\.name) == ["a", "b"])
        #expect(try members.update([member("a"), member("b")]).isEmpty, "their order says nothing")
        let changes = try members.update([member("c"), member("b", weight: 2)])
        #expect(changes.added == [member("c")])
        #expect(changes.removed == [member("a")])
        #expect(changes.changed.map(\.to) == [member("b", weight: 2)])
    }

    @Test("a name with another address or version is another replica: the old one is to be drained")
    func replaced() throws {
        let members = try Members()
        try members.update([member("a"), member("b")])
        let changes = try members.update([member("a", "elsewhere:1"), member("b", version: 2)])
        #expect(changes.added == [member("a", "elsewhere:1"), member("b", version: 2)])
        #expect(changes.removed == [member("a"), member("b")])
        #expect(changes.changed.isEmpty)
    }

    @Test("changes lead from any set to any other")
    func property() {
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            func set() -> [Member] {
                "abcdefgh".filter { _ in Bool.random(using: &random) }.shuffled(using: &random).map {
                    member(
                        String($0), Bool.random(using: &random) ? "x:1" : "y:1",
                        weight: .random(in: 1...2, using: &random).rounded())
                }
            }
            let old = set(), new = set()
            let changes = MemberChanges.between(old, new)
            var result = Set(old)
            for gone in changes.removed { #expect(result.remove(gone) != nil, "seed \(seed)") }
            for change in changes.changed {
                #expect(result.remove(change.from) != nil, "seed \(seed)")
                #expect(result.insert(change.to).inserted, "seed \(seed)")
            }
            for one in changes.added { #expect(result.insert(one).inserted, "seed \(seed)") }
            #expect(result == Set(new), "seed \(seed)")
            #expect(changes.isEmpty == (Set(old) == Set(new)), "seed \(seed)")
        }
    }

    @Test("a set that cannot be is refused, and the last good one stays")
    func refused() throws {
        let members = try Members(capacity: 2)
        try members.update([member("a")])
        let sets: [[Member]] = [
            [], [member("a"), member("a", "b:1")], [member("a"), member("b"), member("c")], [member("")],
            [member("a b")], [member("a", "")], [member("a", "x y")], [member("a", weight: 0)],
            [member("a", weight: .infinity)], [member("a", weight: .nan)],
            [Member("a", address: "x:1", zone: "")], [member(String(repeating: "a", count: 201))],
            [Member("a", address: "x:1", labels: ["": "x"])],
            [Member("a", address: "x:1", labels: Dictionary(uniqueKeysWithValues: (0..<33).map { ("\($0)", "") }))],
        ]
        for set in sets {
            #expect(throws: ConfigurationError.self) { try members.update(set) }
            #expect(members.all == [member("a")])
        }
        #expect(try members.update([], allowingNone: true).removed == [member("a")])
        for capacity in [0, -1, 100_001] {
            #expect(throws: ConfigurationError.self) { try Members(capacity: capacity) }
        }
    }

    @Test("a source is followed; one that fails or says nobody leaves the members as they are")
    func follows() async throws {
        let members = try Members(), time = ManualTime()
        let texts = Locked(["a x:1", "a x:1\nb", "", "a x:1\nb y:1"])
        let source = TextMembers {
            guard let text = texts.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { throw CancellationError() }
            return text
        }
        let seen = Locked([String]())
        let (told, tell) = AsyncStream.makeStream(of: Void.self)
        let following = Task {
            try await members.follow(source, every: .seconds(5), time: time, random: .seeded(1)) { answer in
                seen.withLock { seen in
                    switch answer {
                    case .success(let changes): seen.append("+\(changes.added.count) -\(changes.removed.count)")
                    case .failure(let error): seen.append("\(type(of: error))")
                    }
                }
                tell.yield()
            }
        }
        var answers = told.makeAsyncIterator()
        for _ in 0..<5 {
            await answers.next()
            await time.waitForSleepers()
            time.advance(by: .seconds(6))
        }
        following.cancel()
        try await following.value
        #expect(
            seen.withLock { $0 }.prefix(5) == [
                "+1 -0", "MemberListError", "ConfigurationError", "+1 -0", "CancellationError",
            ])
        #expect(members.all.map(\.name) == ["a", "b"])
        await #expect(throws: ConfigurationError.self) {
            try await members.follow(FixedMembers([]), every: .zero) { _ in }
        }
    }
}
