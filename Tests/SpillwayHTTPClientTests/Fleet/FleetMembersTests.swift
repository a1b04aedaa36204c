#if HTTPClientSupport
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("A watch of a fleet's members", .timeLimit(.minutes(10)))
struct FleetMembersTests {
    @Test("members come and go with the file; a bad one changes nothing")
    func file() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        let lines = [one, two].map { "\($0.name) 127.0.0.1:\($0.port)" }
        try await withFile { url in
            try write([lines[0]], to: url)
            try await Watching.run([one.member()], source: FileMembers(url.path)) { watching in
                try await until { watching.phase(of: "one") == .ready }
                let health = watching.fleet.health(of: "one")
                try write(lines + ["# both"], to: url)
                try await until { watching.phase(of: "two") == .ready && watching.load(of: "two").waiting == 1 }
                // What stays keeps what is known of it.
                #expect(watching.fleet.health(of: "one") === health)
                #expect(watching.changes.taken == 1)

                for bad in ["one", "", "one 127.0.0.1:1 weight=0", "one a\none b"] {
                    let refused = watching.changes.refused
                    try write([bad], to: url)
                    try await until { watching.changes.refused > refused + 1 }
                    #expect(watching.fleet.members.map(\.name).sorted() == ["one", "two"])
                }
                let refused = watching.changes.refused
                try FileManager.default.removeItem(at: url)
                try await until { watching.changes.refused > refused + 1 }
                #expect(watching.changes.taken == 1)

                try write([lines[0]], to: url)
                try await until { watching.fleet.members.map(\.name) == ["one"] }
                try await quiet(two, whileAsking: one)
            }
        }
        try await one.stop()
        try await two.stop()
    }

    /// Returns when one engine is asked nothing any more while another is asked on.
    private func quiet(_ old: Engine, whileAsking other: Engine) async throws {
        var asked = -1
        while asked != old.requests.count {
            asked = old.requests.count
            let scrapes = other.count("/metrics")
            try await until { other.count("/metrics") > scrapes + 30 }
        }
    }

    @Test("without a source the watch follows whoever changes the fleet")
    func direct() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        try await Watching.run([one.member()]) { watching in
            try await until { watching.phase(of: "one") == .ready }
            try watching.fleet.update([one.member(), two.member()], at: SystemTime().now)
            try await until { watching.phase(of: "two") == .ready }
            // The same name, but another process: it is a new one, asked at its own address.
            let moved = Member("one", address: "127.0.0.1:\(two.port)")
            try watching.fleet.update([moved], at: SystemTime().now)
            try await until { watching.phase(of: "one") == .ready }
            try await quiet(one, whileAsking: two)
        }
        try await one.stop()
        try await two.stop()
    }

    /// A source whose answer a test changes.
    private final class Listed: MemberSource {
        private let list: Locked<[Member]>
        private let answers = Locked(0)

        init(_ members: [Member]) { list = Locked(members) }

        var asked: Int { answers.withLock { $0 } }

        func members() async -> [Member] {
            answers.withLock { $0 += 1 }
            return list.withLock { $0 }
        }

        func set(_ members: [Member]) { list.withLock { $0 = members } }
    }

    @Test("of more members than a fleet takes those that it has stay; who is left out is told once")
    func crowd() async throws {
        // Nobody listens there.
        func member(_ number: Int) -> Member { Member("m\(1_000 + number)", address: "127.0.0.1:1") }
        let old = (100..<110).map(member), all = (0..<300).map(member)
        let source = Listed(all)
        let room = Fleet.capacity
        try await Watching.run(old, health: nil, source: source, { $0.absences = 1 }) { watching in
            try await until { watching.fleet.members.count == room }
            let first = Set((old + all.filter { !old.contains($0) }.prefix(room - old.count)).map(\.name))
            #expect(Set(watching.fleet.members.map(\.name)) == first)
            try await until { source.asked > 20 }
            let out = all.map(\.name).filter { !first.contains($0) }
            #expect(watching.leftOut == [out] && watching.changes == (1, 0))

            // Somebody leaves, and the next comes.
            source.set(all.filter { $0 != old[0] })
            try await until { !watching.fleet.members.contains(old[0]) }
            try await until { watching.leftOut.count == 2 }
            #expect(watching.leftOut[1] == Array(out.dropFirst()) && watching.fleet.members.count == room)
            #expect(watching.fleet.members.contains { $0.name == out[0] })

            source.set(Array(all.prefix(10)))
            try await until { watching.leftOut.count == 3 }
            #expect(watching.leftOut[2] == [] && watching.changes == (3, 0))
            #expect(watching.fleet.members.map(\.name).sorted() == all.prefix(10).map(\.name))
        }
    }

    @Test("a member whose label goes is not kept out of use by what its page had said")
    func label() async throws {
        let engine = try await Engine.start("engine") { $0.gpus = .plain(200, [:], Page.gpus(xid: 79)) }
        try await Watching.run([engine.member(nil, ["dcgm": ":\(engine.port)/gpus"])]) { watching in
            try await until { watching.fleet.health(of: "engine")?.status(at: .zero).vetoes.isEmpty == false }
            try watching.fleet.update([engine.member()], at: SystemTime().now)
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }
}
#endif
