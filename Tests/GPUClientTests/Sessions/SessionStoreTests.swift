import SpillwayCore
import Testing

@testable import GPUClient

@Suite("Sessions in memory")
struct SessionStoreTests {
    private func session(_ id: String = "s", replica: String = "gpu-1", turns: Int = 1) -> Session {
        var session = Session(
            id: id, replica: replica, model: "llama", version: ModelVersion(2, 1), zone: "a", started: 5,
            prefixHead: .max)
        session.turns = turns
        return session
    }

    private func revision(_ write: SessionWrite) -> Int64? {
        if case .written(let revision) = write { revision } else { nil }
    }

    @Test("what is written is read, until it expires")
    func expires() async throws {
        let store = try MemorySessionStore()
        #expect(try await store.get("s", at: 0) == nil)
        let first = try #require(revision(try await store.put(session(), replacing: nil, expires: 100, at: 0)))
        #expect(try await store.get("s", at: 99) == StoredSession(session(), revision: first, expires: 100))
        #expect(try await store.get("s", at: 100) == nil)
        #expect(try await store.put(session(), replacing: first, expires: 200, at: 100) == .conflict(nil), "it is gone")
        #expect(try await !store.remove("s", revision: nil, at: 100))
        let second = try #require(revision(try await store.put(session(), replacing: nil, expires: 200, at: 100)))
        #expect(second > first, "an old revision fits no new session")
    }

    @Test("of two that write what they have read, one is refused, and told what is there")
    func compareAndSet() async throws {
        let store = try MemorySessionStore()
        let first = revision(try await store.put(session(), replacing: nil, expires: 100, at: 0))
        let mine = session(replica: "gpu-2", turns: 2), theirs = session(replica: "gpu-3", turns: 2)
        let second = try #require(revision(try await store.put(mine, replacing: first, expires: 150, at: 1)))
        let there = StoredSession(mine, revision: second, expires: 150)
        #expect(try await store.put(theirs, replacing: first, expires: 150, at: 1) == .conflict(there))
        #expect(try await store.put(theirs, replacing: nil, expires: 150, at: 1) == .conflict(there))
        #expect(try await !store.remove("s", revision: first, at: 1))
        #expect(try await store.remove("s", revision: second, at: 1))
        #expect(try await store.get("s", at: 1) == nil)
    }

    @Test("a full store lets go what has expired, and else what was written longest ago")
    func bounded() async throws {
        let store = try MemorySessionStore(capacity: 16)
        for number in 0..<16 as Range<Int64> {
            _ = try await store.put(
                session("\(number)"), replacing: nil, expires: number == 7 ? 50 : 10_000, at: number)
        }
        let old = try #require(try await store.get("0", at: 20))
        _ = try await store.put(session("0", turns: 2), replacing: old.revision, expires: 10_000, at: 20)
        _ = try await store.put(session("new"), replacing: nil, expires: 10_000, at: 60)
        #expect(try await store.get("1", at: 60) != nil, "7 went, which had expired")
        _ = try await store.put(session("newer"), replacing: nil, expires: 10_000, at: 61)
        #expect(try await store.get("1", at: 61) == nil)
        #expect(try await store.get("0", at: 61) != nil, "it was written again")
        for number in 100..<5_000 {
            _ = try await store.put(session("\(number)"), replacing: nil, expires: 10_000, at: 62)
            #expect(store.count <= 16)
        }
        for capacity in [0, -1, 10_000_001] {
            #expect(throws: ConfigurationError.self) { try MemorySessionStore(capacity: capacity) }
        }
    }

    @Test("what is kept of writes is bounded, whoever comes and goes", arguments: [nil, 40, 3])
    func boundedWrites(ids: Int?) async throws {
        let store = try MemorySessionStore(capacity: 16)
        var most = 0
        for number in 0..<100_000 as Range<Int64> {
            let id = "\(ids.map { Int(number) % $0 } ?? Int(number))"
            let there = try await store.get(id, at: number)
            if number % 7 == 0, there != nil { _ = try await store.remove(id, revision: nil, at: number) }
            let revision = number % 7 == 0 ? nil : there?.revision
            _ = try await store.put(session(id), replacing: revision, expires: number + 10_000, at: number)
            most = max(most, store.writes - 2 * store.count)
        }
        #expect(most <= 16 && store.count <= 16)
    }

    @Test("what no store keeps is refused")
    func invalid() async throws {
        let store = try MemorySessionStore()
        let long = String(repeating: "x", count: 201)
        var negative = session()
        negative.turns = -1
        var zone = session()
        zone.zone = long
        for bad in [session(""), session(long), session("s", replica: long), negative, zone] {
            let error = await #expect(throws: StoreError.self) {
                try await store.put(bad, replacing: nil, expires: 100, at: 0)
            }
            #expect(error?.kind == .invalid)
        }
        #expect(store.count == 0)
    }

    @Test("a turn counts, and changes neither model nor version")
    func turns() {
        var one = session()
        one.turn(on: "gpu-9", zone: "b", at: 50)
        one.turn(on: "gpu-9", zone: "b", at: 40)
        #expect(one.turns == 3 && one.lastUsed == 50 && one.replica == "gpu-9" && one.zone == "b")
        #expect(one.model == "llama" && one.version == ModelVersion(2, 1) && one.started == 5)
        one.turns = .max
        one.turn(on: "gpu-9", at: 60)
        #expect(one.turns == .max)
    }

    @Test("against a plain model, for any sequence")
    func model() async throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let store = try MemorySessionStore(capacity: 1_000)
            var kept: [String: StoredSession] = [:], highest: Int64 = 0, now: Int64 = 0
            for step in 0..<100 {
                now += .random(in: 0...5, using: &random)
                let id = ["a", "b", "c"].randomElement(using: &random)!
                let present = kept[id].flatMap { $0.expires > now ? $0 : nil }
                let claimed = [present?.revision, nil, highest].randomElement(using: &random)!
                switch Int.random(in: 0..<4, using: &random) {
                case 0, 1:
                    let new = session(id, turns: step), expires = now + .random(in: 0...20, using: &random)
                    switch try await store.put(new, replacing: claimed, expires: expires, at: now) {
                    case .written(let revision):
                        #expect(claimed == present?.revision && revision > highest, "seed \(seed), step \(step)")
                        highest = revision
                        kept[id] = StoredSession(new, revision: revision, expires: expires)
                    case .conflict(let there):
                        #expect(claimed != present?.revision && there == present, "seed \(seed), step \(step)")
                    }
                case 2:
                    let removed = try await store.remove(id, revision: claimed, at: now)
                    #expect(
                        removed == (present != nil && (claimed == nil || claimed == present?.revision)),
                        "seed \(seed), step \(step)")
                    if removed { kept[id] = nil }
                default: #expect(try await store.get(id, at: now) == present, "seed \(seed), step \(step)")
                }
            }
        }
    }
}
