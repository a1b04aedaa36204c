#if SQLiteSupport
import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite
import SpillwayTesting
import Testing

@Suite(.timeLimit(.minutes(2))) struct FailureTests {
    @Test func `a second ledger on the same file is refused until the first is closed`() async throws {
        let folder = try Folder()
        let first = try await SQLiteLedgerStore(folder.ledger)
        let refusal = try await failure { _ = try await SQLiteLedgerStore(folder.ledger) }
        #expect(refusal?.kind == .inUse)
        #expect(refusal?.description.contains("\(ProcessInfo.processInfo.processIdentifier)") == true)
        // By another name too.
        let alias = folder.path + "/alias.sqlite"
        try FileManager.default.createSymbolicLink(atPath: alias, withDestinationPath: folder.ledger)
        #expect(try await failure { _ = try await SQLiteLedgerStore(alias) }?.kind == .inUse)
        try await first.close()
        let second = try await SQLiteLedgerStore(folder.ledger)
        #expect(try await failure { try await first.append(LedgerBatch(postings: [], balances: [])) }?.kind == .closed)
        #expect(try await failure { _ = try await first.load(at: noon) }?.kind == .closed)
        try await first.close()
        try await second.append(LedgerBatch(postings: [posting(1)], balances: []))
    }

    #if os(Linux)
    @Test func `a ledger of another process is in the way, until that dies`() async throws {
        let folder = try Folder()
        try await SQLiteLedgerStore(folder.ledger).close()
        let other = Process()
        other.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        other.arguments = ["--no-fork", folder.ledger + ".lock", "sh", "-c", "echo locked; exec cat"]
        let output = Pipe(), input = Pipe()
        (other.standardOutput, other.standardInput) = (output, input)
        try other.run()
        #expect(!output.fileHandleForReading.readData(ofLength: 1).isEmpty)
        #expect(try await failure { _ = try await SQLiteLedgerStore(folder.ledger) }?.kind == .inUse)
        kill(other.processIdentifier, SIGKILL)
        other.waitUntilExit()
        try await SQLiteLedgerStore(folder.ledger).close()
    }
    #endif

    @Test func `a reader reads while a ledger writes`() async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        let reader = try await SQLiteLedgerReader(folder.ledger)
        for number in 1...50 {
            try await store.append(LedgerBatch(postings: [posting(UInt64(number))], balances: []))
            var count = 0
            try await reader.postings { _ in count += 1 }
            #expect(count == number)
        }
    }

    @Test func `a folder that is not there, and one that may not be written, are named`() async throws {
        let folder = try Folder()
        let missing = folder.path + "/none/ledger.sqlite"
        let failed = try await failure { _ = try await SQLiteLedgerStore(missing) }
        #expect(failed?.kind == .other)
        #expect(failed?.description.contains(missing) == true)
        #expect(try await failure { _ = try await SQLiteLedgerReader(missing) }?.description.contains(missing) == true)
        #if os(Linux)
        // Not even root makes files there.
        #expect(try await failure { _ = try await SQLiteLedgerStore("/sys/ledger.sqlite") }?.kind == .readOnly)
        #endif
    }

    @Test func `a file that may only be read`() async throws {
        let folder = try Folder()
        try await SQLiteLedgerStore(folder.ledger).close()
        guard try Immutable.set(folder.ledger) else { return }
        defer { Immutable.unset(folder.ledger) }
        let failed = try await failure { _ = try await SQLiteLedgerStore(folder.ledger) }
        #expect(failed?.kind == .readOnly)
        #expect(failed?.description.contains(folder.ledger) == true)
    }

    @Test(arguments: ["garbage", "another database", "cut", "empty tables"])
    func `what is no ledger is refused, and left as it is`(damage: String) async throws {
        let folder = try Folder()
        let store = try await SQLiteLedgerStore(folder.ledger)
        try await store.append(LedgerBatch(postings: (1...2_000).map { posting($0, .held) }, balances: []))
        try await store.close()
        switch damage {
        case "garbage": try folder.replace(with: Data(repeating: 0x5a, count: 8_192))
        case "cut": try folder.replace(with: try folder.bytes().prefix(10_000))
        case "another database":
            try FileManager.default.removeItem(atPath: folder.ledger)
            try Damage.run("CREATE TABLE t (a); INSERT INTO t VALUES (1)", folder.ledger)
        default: try Damage.run("DROP VIEW readable_postings; DROP TABLE postings", folder.ledger)
        }
        let before = try folder.bytes()
        let failed = try await failure { _ = try await SQLiteLedgerStore(folder.ledger).load(at: noon) }
        #expect(failed?.kind == .corrupt, "\(failed.map { "\($0)" } ?? "no error")")
        #expect(failed?.description.contains(folder.ledger) == true)
        if damage != "another database" { #expect(try folder.bytes() == before) }
    }

    @Test(arguments: 1...40)
    func `flipped bytes end in an error or in nothing, never in a crash`(seed: UInt64) async throws {
        let folder = try Folder()
        let scopes = (0..<50).map { [Scope.tenant("tenant \($0)"), .session("session \($0)")] }
        do {
            let store = try await SQLiteLedgerStore(folder.ledger)
            let list = (1...500).map { posting(UInt64($0), $0 % 2 == 0 ? .held : .settled, scopes: scopes[$0 % 50]) }
            let balances = scopes.joined().map { balance($0, .total, start: .min, end: .max, held: 1) }
            try await store.append(LedgerBatch(postings: list, balances: balances))
            try await store.close()
        }
        let random = RandomSource.seeded(seed)
        var bytes = try folder.bytes()
        for _ in 0..<200 {
            bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
        }
        // What says that it is a database stays.
        if seed % 2 == 0 { bytes.replaceSubrange(0..<100, with: try folder.bytes().prefix(100)) }
        try folder.replace(with: bytes)
        let failed = try await failure {
            let store = try await SQLiteLedgerStore(folder.ledger)
            _ = try await store.load(at: noon)
            try await store.append(LedgerBatch(postings: (1...600).map { posting($0, .voided) }, balances: []))
        }
        if let failed { #expect([.corrupt, .other].contains(failed.kind), "\(failed)") }
        _ = try? await postings(folder.ledger)
    }

    @Test func `a layout of later versions is refused`() async throws {
        let folder = try Folder()
        try await SQLiteLedgerStore(folder.ledger).close()
        try Damage.run("PRAGMA user_version = 99", folder.ledger)
        let failed = try await failure { _ = try await SQLiteLedgerStore(folder.ledger) }
        #expect(failed?.description.contains("99") == true)
        #expect(failed?.kind == .other)
    }
}
#endif
