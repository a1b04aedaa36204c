import AsyncHTTPClient
import FleetFaults
import Foundation
import Logging
import NIOHTTP1
import Spillway
import SpillwaySQLite
import Testing

@testable import FakeFleet
@testable import Gateway

/// What becomes of conversations with a fleet.
@Suite(.timeLimit(.minutes(10))) struct SessionTests {
    /// Each replica gets calls, whatever is known of it, and none of them serves the model's version of the other.
    private static let inTurn = "rule: round_robin, scrapeSeconds: 0.05"
    private static let versions = ["model=fake-7b@1.2", "model=fake-7b@2.0"]

    private func session(_ id: String) -> HTTPHeaders { ["x-spillway-session": id] }

    /// A prompt of some hundred tokens that begins like no other.
    private func prompt(_ name: String) -> String {
        String(repeating: "This is \(name), of which nobody has heard before. ", count: 40)
    }

    private func stored(_ id: String, in store: any SessionStore, of tenant: String? = nil) async throws -> Session? {
        try await store.get(Sessions.key(id, of: tenant, in: "own"), at: 0)?.session
    }

    private func write(
        _ id: String, on replica: String, version: ModelVersion? = nil, to store: any SessionStore
    )
        async throws
    {
        let session = Session(
            id: Sessions.key(id, of: nil, in: "own"), replica: replica, model: "fake-7b", version: version, started: 0)
        _ = try await store.put(session, replacing: nil, expires: .max, at: 0)
    }

    @Test func `a conversation goes on where it was`() async throws {
        let store = try MemorySessionStore()
        for number in 1...4 { try await write("s\(number)", on: "gpu-\(number)", to: store) }
        try await withFleet(replicas: 4, fleet: "scrapeSeconds: 3600", health: nil, sessions: store) { bench in
            for turn in 0..<3 {
                for number in [3, 1, 4, 2] {
                    let seen = try await bench.ask(
                        prompt("\(turn)-\(number)"), streamed: turn == 1, headers: session("s\(number)"))
                    #expect(seen.status == 200 && seen.isDone && seen.replica == "gpu-\(number)")
                }
            }
            let known = try #require(try await stored("s3", in: store))
            #expect(known.replica == "gpu-3" && known.zone == "a" && known.turns == 4 && known.lastUsed > 0)
            try await bench.metrics(until: #"gateway_session_turns_total{result="stayed",upstream="own"} 12"#)
            // A client that says nothing, and one that begins.
            #expect(try await bench.ask("hello").status == 200)
            #expect(store.count == 4)
            let new = try await bench.ask("hello", headers: session("new"))
            #expect(try await stored("new", in: store)?.replica == new.replica)
            try await bench.metrics(until: #"gateway_session_turns_total{result="began",upstream="own"} 1"#)
        }
    }

    @Test(arguments: [true, false])
    func `a conversation never goes on with another major version`(streamed: Bool) async throws {
        try await withFleet(replicas: 2, fleet: Self.inTurn, each: Self.versions) { bench in
            var homes: Set<String?> = []
            for number in 0..<4 {
                let headers = session("s\(number)")
                let home = try await bench.ask("hello", streamed: streamed, headers: headers).replica
                homes.insert(home)
                for _ in 0..<3 {
                    #expect(try await bench.ask("hello", streamed: streamed, headers: headers).replica == home)
                }
            }
            #expect(homes == ["gpu-1", "gpu-2"])
            // Where its replica is not to be had it is refused, and others are not.
            let home = try #require(await bench.ask("hello", headers: session("s0")).replica)
            #expect(try await bench.send(.POST, "v1/fleet/own/\(home)/drain").status == .ok)
            let refused = try await bench.ask("hello", streamed: streamed, headers: session("s0"))
            #expect(refused.status == 503 && refused.code == "no_target")
            #expect(try await bench.ask("hello", streamed: streamed, headers: session("s9")).status == 200)
        }
    }

    @Test func `a conversation whose version is gone is told to begin anew`() async throws {
        let store = try MemorySessionStore()
        try await write("old", on: "gpu-1", version: ModelVersion(3), to: store)
        try await withFleet(replicas: 2, each: Self.versions, sessions: store) { bench in
            for streamed in [true, false] {
                let seen = try await bench.ask("hello", streamed: streamed, headers: session("old"))
                #expect(seen.status == 409 && seen.code == "session_version_gone")
                #expect(seen.error?["message"].string.contains("version 3 of fake-7b") == true)
            }
            #expect(try await bench.ask("hello", headers: session("new")).status == 200)
            // Nobody was called but for the new one.
            let page = try await bench.send(.GET, "metrics").text
            #expect(page.contains(#"gateway_upstream_refusals_total{upstream="own"} "#), "\(page)")
            #expect(page.contains(#"gateway_upstream_attempts_total{cause="none",upstream="own"} 1"#), "\(page)")
            #expect(!page.contains(#"cause="rejected""#), "\(page)")
        }
    }

    @Test(arguments: [
        "targets: [{ upstream: own, model: fake-7b }, { upstream: rented, model: fake-7b }]",
        """
        tiers: [{ name: own, targets: [{ upstream: own, model: fake-7b, quality: 0.9 }] }, \
        { name: rented, targets: [{ upstream: rented, model: fake-7b, quality: 0.9 }] }]
        """,
    ])
    func `where a fleet cannot go on with a conversation, another target answers`(route: String) async throws {
        let store = try MemorySessionStore()
        try await write("old", on: "gpu-1", version: ModelVersion(3), to: store)
        try await withReplicas(2) { addresses in
            let yaml = """
                upstreams:
                  own: { fleet: { members: ["gpu-1 127.0.0.1:\(addresses.replicas[0]) model=fake-7b@1"] } }
                  rented: { url: "http://127.0.0.1:\(addresses.replicas[1])" }
                models: { chat: { \(route) } }
                policy: { retries: 1, backoff: { kind: none } }
                """
            try await withFleetGateway(yaml, addresses, isReady: true, sessions: store) { bench in
                for streamed in [true, false] {
                    let old = try await bench.ask("hello", streamed: streamed, headers: session("old"))
                    #expect(old.status == 200 && old.upstream == "rented")
                    let new = try await bench.ask("hello", streamed: streamed, headers: session("new"))
                    #expect(new.status == 200 && new.upstream == "own")
                }
                #expect(try await stored("old", in: store)?.turns == 1)
                #expect(try await stored("new", in: store)?.turns == 2)
            }
        }
    }

    @Test func `tenants never meet in a session`() async throws {
        let store = try MemorySessionStore()
        try await withFleet(replicas: 2, extra: Purse.yaml(), sessions: store) { bench in
            for _ in 0..<2 {
                for key in [Purse.acme, Purse.other] {
                    let paid = try await bench.pay(key, headers: session("s"))
                    #expect(paid.seen.status == 200)
                }
            }
            #expect(store.count == 2)
            #expect(try await stored("s", in: store, of: "acme")?.turns == 2)
            #expect(try await stored("s", in: store, of: "other")?.turns == 2)
        }
        #expect(Sessions.key("b1:c", of: "a", in: "f") != Sessions.key("c", of: "a", in: "f1:b"))
        #expect(Sessions.key("s", of: nil, in: "f") != Sessions.key("s", of: nil, in: "g"))
    }

    @Test func `an id that cannot be is refused`() async throws {
        try await withFleet(replicas: 1) { bench in
            for (id, status) in [
                ("", 400), (String(repeating: "x", count: 201), 400), (String(repeating: "x", count: 200), 200),
            ] {
                let seen = try await bench.ask("hello", headers: session(id))
                #expect(seen.status == status, "\(id.count)")
                guard status == 400 else { continue }
                #expect(seen.code == "invalid_session" && seen.error?["param"].string == "x-spillway-session")
            }
        }
    }

    @Test(arguments: [true, false])
    func `a store that fails fails no call`(streamed: Bool) async throws {
        try await withFolder { folder in
            let store = try await SQLiteSessionStore(folder.appending(path: "sessions.sqlite").path)
            try await store.close()
            try await withFleet(replicas: 2, sessions: store) { bench in
                let answer = try await bench.ask("hello", streamed: streamed).text
                for _ in 0..<2 {
                    try await bench.ask("hello", streamed: streamed, headers: session("s")).isWhole(answer)
                }
                for operation in ["read", "write"] {
                    try await bench.metrics(
                        until: "gateway_session_store_failures_total{operation=\"\(operation)\"} 2")
                }
            }
        }
    }

    @Test func `a job goes on with its conversation, too`() async throws {
        let store = try MemorySessionStore()
        try await write("s", on: "gpu-2", to: store)
        let fleet = "scrapeSeconds: 3600"
        try await withFleet(replicas: 2, fleet: fleet, health: nil, extra: "jobs: {}", sessions: store) { bench in
            let headers: HTTPHeaders = ["x-spillway-session": "s", "prefer": "respond-async"]
            let body = #"{"model":"chat","messages":[{"role":"user","content":"hello"}]}"#
            let accepted = try await bench.send(.POST, "v1/chat/completions", body: body, headers: headers)
            #expect(accepted.status == .accepted)
            try await until { try await stored("s", in: store)?.turns == 2 }
            #expect(try await bench.calls == [0, 1])
        }
    }

    @Test func `a gateway that starts again goes on with its conversations`() async throws {
        try await withFolder { folder in
            let fields = try Configuration(
                yaml: """
                    upstreams: { own: { fleet: { members: ["g h:1"] } } }
                    models: { chat: { targets: [{ upstream: own, model: m }] } }
                    sessions: { file: sessions.sqlite }
                    """, file: folder.appending(path: "gateway.yaml").path)
            let file = try #require(fields.sessions?.file)
            #expect(file == folder.appending(path: "sessions.sqlite").path)
            var homes: [String: String] = [:]
            for run in 0..<2 {
                let store = try await SQLiteSessionStore(file)
                try await withFleet(replicas: 2, fleet: Self.inTurn, each: Self.versions, sessions: store) { bench in
                    // In another order, so that whose turn it is does not bring them to the same place.
                    for id in run == 0 ? ["a", "b", "c", "d"] : ["b", "a", "c", "c", "d", "a"] {
                        let seen = try await bench.ask("hello", streamed: run == 0, headers: session(id))
                        if run == 0 { homes[id] = seen.replica } else { #expect(seen.replica == homes[id]) }
                    }
                }
                #expect(Set(homes.values).count == 2)
                let known = try #require(try await stored("a", in: store))
                #expect(known.turns == (run == 0 ? 1 : 3) && known.model == "fake-7b")
                try await store.close()
            }
        }
    }

    @Test func `turns that end at the same time are all counted, and the first says the version`() async throws {
        let store = try MemorySessionStore()
        let sessions = try Sessions(
            .init(), store: store, metrics: Metrics(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let empty = await sessions.find("s", of: nil, in: ["own"])
        func member(_ name: String, _ version: Int) -> Member {
            Member(name, address: "h:1", model: "m", version: ModelVersion(version))
        }
        await sessions.turned(empty, at: member("gpu-1", 1), of: "own", model: "m")
        await sessions.turned(empty, at: member("gpu-2", 1), of: "own", model: "m")
        // Began elsewhere at the same time, with what it cannot go on with.
        await sessions.turned(empty, at: member("gpu-3", 2), of: "own", model: "m")
        let known = try #require(await sessions.find("s", of: nil, in: ["own"]).stored["own"])
        #expect(known.session.replica == "gpu-2" && known.session.turns == 2)
        #expect(known.session.version == ModelVersion(1))
        #expect(known.expires - known.session.lastUsed == 86_400_000_000_000)
    }

    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }
}
