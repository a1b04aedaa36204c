#if SQLiteSupport
import CostLedger
import Foundation
import ModelRouting
import SpillwayCore
import SpillwaySQLite
import Testing

@Suite(.timeLimit(.minutes(2))) struct JobFileTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    @Test func `jobs are there when the file is opened again`() async throws {
        let store = try await SQLiteJobStore(folder.jobs)
        let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try await store.add(newJob(1, tenant: "o'neill", key: "ключ", .sheddablePlus), large)
        _ = try await store.next()
        let failure = JobFailure(.rateLimited, String(repeating: "ü", count: 400))
        _ = try await store.change(
            newJob(1).id, .retry(token: 1, after: 0, failure: failure, counts: true), at: noon)
        let before = try await store.find(newJob(1).id)
        try await store.close()
        #expect(try await jobFailure { _ = try await store.find(newJob(1).id) }?.kind == .closed)
        let again = try await SQLiteJobStore(folder.jobs)
        #expect(try await again.find(newJob(1).id) == before)
        #expect(before?.record.failure?.message == String(repeating: "ü", count: 250))
        let taken = try #require(try await again.next())
        #expect(taken.payload == large)
        _ = try await again.change(newJob(1).id, .finish(token: 2, result: large), at: noon)
        #expect(try await SQLiteJobStore(folder.jobs).find(newJob(1).id)?.result == large)
        // What nobody needs any more takes no room.
        #expect(try Damage.row("SELECT count(*) || '' FROM payloads", folder.jobs) == "0")
        let row = try Damage.row(
            "SELECT tenant || ' ' || key || ' ' || phase || ' ' || runs || ' ' || submitted FROM readable_jobs",
            folder.jobs)
        #expect(row == "o'neill ключ done 2 2026-03-01 12:00:00.000")
    }

    @Test func `a full disk refuses jobs, and loses none`() async throws {
        let store = try await SQLiteJobStore(folder.jobs)
        try await store.add(newJob(0))
        try await store.leaveRoom(pages: 8)
        var accepted: [UInt64] = [0], failed: StoreError?
        while failed == nil {
            let number = UInt64(accepted.count)
            failed = try await jobFailure {
                try await store.add(newJob(number), Array(repeating: 1, count: 2_000))
                accepted.append(number)
            }
        }
        #expect(failed?.kind == .full)
        #expect(failed?.description.contains(folder.jobs) == true)
        #expect(try await store.find(newJob(UInt64(accepted.count)).id) == nil)
        try await store.leaveRoom(pages: nil)
        try await store.add(newJob(1_000))
        accepted.append(1_000)
        #expect(try await store.tidy("q", bounds: plenty, at: noon).waiting == accepted.count)
        for _ in accepted { #expect(try await store.next(lease: minute) != nil) }
    }

    @Test(arguments: ["garbage", "another database", "a ledger", "cut", "a table gone", "a newer layout"])
    func `what are no jobs is refused, and left as it is`(damage: String) async throws {
        let store = try await SQLiteJobStore(folder.jobs), url = URL(fileURLWithPath: folder.jobs)
        for number in 0..<300 { try await store.add(newJob(UInt64(number)), Array(repeating: 1, count: 500)) }
        try await store.close()
        switch damage {
        case "garbage": try Data(repeating: 0x5a, count: 8_192).write(to: url)
        case "cut": try Data(contentsOf: url).prefix(10_000).write(to: url)
        case "another database":
            try FileManager.default.removeItem(at: url)
            try Damage.run("CREATE TABLE t (a); INSERT INTO t VALUES (1)", folder.jobs)
        case "a ledger":
            try FileManager.default.removeItem(at: url)
            try await SQLiteLedgerStore(folder.jobs).close()
        case "a newer layout": try Damage.run("PRAGMA user_version = 99", folder.jobs)
        default: try Damage.run("DROP TABLE payloads", folder.jobs)
        }
        let before = try Data(contentsOf: url)
        let failed = try await jobFailure { _ = try await SQLiteJobStore(folder.jobs).next() }
        #expect(
            failed?.kind == (damage == "a newer layout" ? .other : .corrupt), "\(failed.map { "\($0)" } ?? "no error")")
        #expect(failed?.description.contains(folder.jobs) == true)
        if damage != "another database" { #expect(try Data(contentsOf: url) == before) }
    }

    @Test(arguments: 1...30)
    func `flipped bytes end in an error or in nothing, never in a crash`(seed: UInt64) async throws {
        let store = try await SQLiteJobStore(folder.jobs), url = URL(fileURLWithPath: folder.jobs)
        for number in 0..<200 { try await store.add(newJob(UInt64(number), key: "\(number)")) }
        for _ in 0..<50 { _ = try await store.next() }
        try await store.close()
        let whole = try Data(contentsOf: url), random = RandomSource.seeded(seed)
        var bytes = whole
        for _ in 0..<200 {
            bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
        }
        // What says that it is a database stays.
        if seed % 2 == 0 { bytes.replaceSubrange(0..<100, with: whole.prefix(100)) }
        try bytes.write(to: url)
        let failed = try await jobFailure {
            let store = try await SQLiteJobStore(folder.jobs)
            for number in 0..<200 { _ = try await store.find(newJob(UInt64(number)).id) }
            while try await store.next(at: noon + 10 * minute) != nil {}
        }
        if let failed { #expect([.corrupt, .other].contains(failed.kind), "\(failed)") }
    }

    @Test func `a folder that is not there, and a file that may only be read, are named`() async throws {
        let missing = folder.path + "/none/jobs.sqlite"
        #expect(try await jobFailure { _ = try await SQLiteJobStore(missing) }?.description.contains(missing) == true)
        try await SQLiteJobStore(folder.jobs).close()
        guard try Immutable.set(folder.jobs) else { return }
        defer { Immutable.unset(folder.jobs) }
        #expect(try await jobFailure { _ = try await SQLiteJobStore(folder.jobs) }?.kind == .readOnly)
    }
}
#endif
