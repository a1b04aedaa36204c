#if SQLiteSupport
import GPUClient
import SpillwayCore
import SpillwaySQLite
import Testing

extension Folder {
    /// Where the sessions of the test are.
    var sessions: String { path + "/sessions.sqlite" }
}

@Suite(.timeLimit(.minutes(2))) struct SessionStoreTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    private func session(
        _ id: String = "s", replica: String = "gpu-1", version: ModelVersion? = ModelVersion(2, 1), turns: Int = 1
    ) -> Session {
        var session = Session(
            id: id, replica: replica, model: "llama", version: version, zone: "a", started: noon, prefixHead: .max - 3)
        session.turns = turns
        return session
    }

    private func revision(_ write: SessionWrite) -> Int64? {
        if case .written(let revision) = write { revision } else { nil }
    }

    /// What `body` fails with; nil: it does not.
    private func failure(_ body: () async throws -> Void) async throws -> StoreError? {
        do {
            try await body()
            return nil
        } catch let error as StoreError {
            return error
        }
    }

    @Test func `sessions are there when the file is opened again`() async throws {
        let store = try await SQLiteSessionStore(folder.sessions)
        var odd = session("o'neill ключ", version: nil)
        odd.zone = nil
        odd.turn(on: "gpu-2", at: noon + 5)
        for one in [session(), odd] {
            #expect(revision(try await store.put(one, replacing: nil, expires: noon + minute, at: noon)) != nil)
        }
        try await store.close()
        #expect(try await failure { _ = try await store.get("s", at: noon) }?.kind == .closed)
        let again = try await SQLiteSessionStore(folder.sessions)
        #expect(
            try await again.get("s", at: noon) == StoredSession(session(), revision: 1, expires: noon + minute))
        #expect(try await again.get(odd.id, at: noon)?.session == odd)
        #expect(try await again.get("s", at: noon + minute) == nil)
        let row = try Damage.row(
            "SELECT replica || ' ' || version || ' ' || started FROM readable_sessions WHERE id = 's'", folder.sessions)
        #expect(row == "gpu-1 2.1.0 2026-03-01 12:00:00.000")
    }

    @Test func `of two processes that write what they have read, one is refused`() async throws {
        let mine = try await SQLiteSessionStore(folder.sessions), other = try await SQLiteSessionStore(folder.sessions)
        let first = revision(try await mine.put(session(), replacing: nil, expires: noon + minute, at: noon))
        #expect(try await other.get("s", at: noon)?.revision == first)
        let second = revision(
            try await other.put(session(turns: 2), replacing: first, expires: noon + minute, at: noon))
        let there = try await other.get("s", at: noon)
        #expect(there?.revision == second)
        #expect(
            try await mine.put(session(turns: 9), replacing: first, expires: noon + minute, at: noon)
                == .conflict(there))
        #expect(try await !mine.remove("s", revision: first, at: noon))
        #expect(try await mine.remove("s", revision: second, at: noon))
        #expect(try await other.get("s", at: noon) == nil)
    }

    @Test func `no turn is lost when many write at once`() async throws {
        let path = folder.sessions
        let stores = [try await SQLiteSessionStore(path), try await SQLiteSessionStore(path)]
        _ = try await stores[0].put(session(turns: 0), replacing: nil, expires: noon + minute, at: noon)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores {
                for _ in 0..<2 {
                    group.addTask {
                        var left = 25
                        while left > 0 {
                            guard var stored = try await store.get("s", at: noon) else { break }
                            stored.session.turn(on: "gpu-1", zone: "a", at: noon)
                            let write = try await store.put(
                                stored.session, replacing: stored.revision, expires: noon + minute, at: noon)
                            if case .written = write { left -= 1 }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await stores[1].get("s", at: noon)?.session.turns == 100)
    }

    @Test func `memory and file do the same`() async throws {
        let memory = try MemorySessionStore(), file = try await SQLiteSessionStore(folder.sessions)
        var random = RandomSource.seeded(1), now = noon, highest: Int64 = 0
        for step in 0..<600 {
            now += .random(in: 0...5, using: &random)
            let id = ["a", "b", "c"].randomElement(using: &random)!
            let present = try await memory.get(id, at: now)
            #expect(try await file.get(id, at: now) == present, "step \(step)")
            let claimed = [present?.revision, nil, highest].randomElement(using: &random)!
            if Int.random(in: 0..<4, using: &random) == 0 {
                let removed = try await memory.remove(id, revision: claimed, at: now)
                #expect(try await file.remove(id, revision: claimed, at: now) == removed, "step \(step)")
            } else {
                let new = session(id, turns: step), expires = now + .random(in: 0...20, using: &random)
                let write = try await memory.put(new, replacing: claimed, expires: expires, at: now)
                #expect(
                    try await file.put(new, replacing: claimed, expires: expires, at: now) == write, "step \(step)")
                highest = revision(write) ?? highest
            }
        }
        #expect(highest > 100)
    }

    @Test func `what has expired goes with what is written`() async throws {
        let store = try await SQLiteSessionStore(folder.sessions)
        for number in 0..<100 {
            _ = try await store.put(session("\(number)"), replacing: nil, expires: noon + 1, at: noon)
        }
        for number in 100..<110 {
            _ = try await store.put(session("\(number)"), replacing: nil, expires: noon + minute, at: noon + 2)
        }
        #expect(try Damage.row("SELECT count(*) || '' FROM sessions", folder.sessions) == "10")
    }

    @Test func `a full disk refuses sessions, and loses none`() async throws {
        let store = try await SQLiteSessionStore(folder.sessions)
        try await store.leaveRoom(pages: 4)
        var written = 0, failed: StoreError?
        while failed == nil {
            failed = try await failure {
                let one = session("\(written)", replica: String(repeating: "x", count: 200))
                _ = try await store.put(one, replacing: nil, expires: noon + minute, at: noon)
                written += 1
            }
        }
        #expect(failed?.kind == .full && written > 0)
        for number in 0..<written { #expect(try await store.get("\(number)", at: noon) != nil) }
        #expect(try await store.get("\(written)", at: noon) == nil)
    }

    @Test func `a file of something else is refused`() async throws {
        _ = try await SQLiteJobStore(folder.jobs)
        #expect(try await failure { _ = try await SQLiteSessionStore(folder.jobs) }?.kind == .corrupt)
        let nowhere = folder.path + "/none/sessions.sqlite"
        #expect(try await failure { _ = try await SQLiteSessionStore(nowhere) }?.kind == .other)
        let store = try await SQLiteSessionStore(folder.sessions)
        #expect(
            try await failure { _ = try await store.put(session(""), replacing: nil, expires: noon, at: noon) }?.kind
                == .invalid)
    }
}
#endif
