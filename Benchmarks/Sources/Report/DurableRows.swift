import CLimits
import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite

/// What it costs to hold, settle and wait until that is on the disk, for thousands of callers at once: the time of all of it
/// over the number of settlements.
///
/// The limit is what the disk alone takes for the same bytes in as many groups.
func durableRows(_ limits: Limits) async throws -> [Row] {
    var rows: [Row] = []
    for synchronous in [SQLiteLedgerStore.Synchronous.full, .normal] {
        let run = try await DurableRun(synchronous)
        rows.append(
            Row(
                "ledger.durable \(synchronous)", threads: 2, run.figure, run.limit,
                synchronous == .full ? "write+fsync" : "write"))
    }
    return rows
}

private struct DurableRun {
    private static let callers = 4_000
    private static let settlements = 100
    private static let rounds = 5
    private(set) var figure = Figure(nanoseconds: 0, allocations: .nan)
    private(set) var limit = 0.0

    /// The median over some rounds, each on a new file.
    init(_ synchronous: SQLiteLedgerStore.Synchronous) async throws {
        var times: [Double] = [], limits: [Double] = []
        for _ in 0..<Self.rounds {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("durable-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (time, limit) = try await Self.round(folder.path, synchronous)
            times.append(time)
            limits.append(limit)
        }
        figure = Figure(nanoseconds: times.sorted()[Self.rounds / 2], allocations: .nan)
        limit = limits.sorted()[Self.rounds / 2]
    }

    private static func round(
        _ folder: String, _ synchronous: SQLiteLedgerStore.Synchronous
    ) async throws -> (time: Double, limit: Double) {
        let path = folder + "/ledger.sqlite", count = Double(callers * settlements)
        let file = try await SQLiteLedgerStore(path, synchronous: synchronous)
        let store = CountingStore(file)
        let ledger = try await Ledger.open(
            "ledger",
            .init(limits: [
                SpendLimit(each: .tenant, hard: .max, per: .month), SpendLimit(each: .key, hard: .max, per: .day),
                SpendLimit(each: .model, hard: .max, per: .day),
                SpendLimit(each: .session, hard: .max, per: .rolling(.seconds(600))),
            ]), store: store)
        let accounts = try (0..<64).map { number in
            try ledger.account(
                .tenant("tenant-\(number % 16)"), .key("key-\(number)"), .model("large"), .session("session-\(number)"))
        }
        let start = limit_clock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    let account = accounts[caller % accounts.count], time = SystemTime()
                    for _ in 0..<settlements {
                        let hold = try account.hold(Money(nanodollars: 9_000), at: time.now)
                        hold.settle(Money(nanodollars: 7_000), at: time.now)
                        try await ledger.storedBeforeAnswer()
                    }
                }
            }
            try await group.waitForAll()
        }
        let time = Double(limit_clock() - start) / count
        // Then all is in the one file.
        try await file.close()
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        let limit = try written(bytes, in: store.batches, folder + "/plain", waits: synchronous == .full)
        return (time, limit / count)
    }

    /// Nanoseconds to write so many bytes in so many pieces, and to wait for the disk after each.
    private static func written(_ bytes: Int, in pieces: Int, _ path: String, waits: Bool) throws -> Double {
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o644)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        defer { close(descriptor) }
        let piece = [UInt8](repeating: 1, count: bytes / max(1, pieces))
        let start = limit_clock()
        for _ in 0..<pieces {
            guard write(descriptor, piece, piece.count) == piece.count else { throw CocoaError(.fileWriteUnknown) }
            if waits { fsync(descriptor) }
        }
        return Double(limit_clock() - start)
    }
}

/// Counts the groups that a store is given.
private final class CountingStore: LedgerStore, @unchecked Sendable {
    private let store: any LedgerStore
    private let count = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

    init(_ store: any LedgerStore) {
        self.store = store
        count.initialize(to: 0)
    }

    deinit { count.deallocate() }

    var batches: Int { Int(limit_load(count)) }

    func load(at now: Int64) async throws(StoreError) -> LedgerImage { try await store.load(at: now) }

    func append(_ batch: LedgerBatch) async throws(StoreError) {
        _ = limit_add(count)
        try await store.append(batch)
    }
}
