import CostLedger
import SpillwayCore

/// A store in memory that keeps to the protocol, and fails when it is told to.
final class MemoryStore: LedgerStore {
    struct Key: Hashable {
        let number: UInt64
        let kind: Posting.Kind
    }
    struct Place: Hashable {
        let scope: Scope
        let window: Window
        let start: Int64
    }
    struct Contents {
        var postings: [Key: Posting] = [:]
        var balances: [Place: Balance] = [:]
        var failure: StoreError?
        /// Keeps the batch and fails all the same, as when the answer of a disk is lost.
        var isAmbiguous = false
        var batches: [LedgerBatch] = []
        var lastNumber: UInt64 = 0
    }
    let contents = Locked(Contents())

    var postings: [Posting] { contents.withLock { $0.postings.values.sorted { $0.number < $1.number } } }
    var balances: [Balance] { contents.withLock { Array($0.balances.values) } }
    var batches: [LedgerBatch] { contents.withLock { $0.batches } }
    func fail(_ failure: StoreError?, ambiguously: Bool = false) {
        contents.withLock { ($0.failure, $0.isAmbiguous) = (failure, ambiguously) }
    }

    func load(at now: Int64) async throws(StoreError) -> LedgerImage {
        try contents.withLock { contents throws(StoreError) in
            if let failure = contents.failure { throw failure }
            let ended = Set(contents.postings.keys.filter { $0.kind == .settled || $0.kind == .voided }.map(\.number))
            var open: [UInt64: Posting] = [:]
            for posting in contents.postings.values where posting.kind != .saved && !ended.contains(posting.number) {
                if open[posting.number]?.kind != .suspended { open[posting.number] = posting }
            }
            return LedgerImage(
                lastNumber: contents.lastNumber,
                balances: Array(contents.balances.values), open: open.values.sorted { $0.number < $1.number })
        }
    }

    func append(_ batch: LedgerBatch) async throws(StoreError) {
        try contents.withLock { contents throws(StoreError) in
            contents.batches.append(batch)
            if let failure = contents.failure, !contents.isAmbiguous { throw failure }
            contents.lastNumber = max(contents.lastNumber, batch.lastNumber)
            for posting in batch.postings {
                contents.lastNumber = max(contents.lastNumber, posting.number, posting.operation)
                let key = Key(number: posting.number, kind: posting.kind)
                if var known = contents.postings[key] {
                    if key.kind == .held { known.held = max(known.held, posting.held) }
                    contents.postings[key] = known
                } else {
                    contents.postings[key] = posting
                }
            }
            for one in batch.balances {
                contents.balances[Place(scope: one.scope, window: one.window, start: one.start)] = one
            }
            if let failure = contents.failure { throw failure }
        }
    }
}

/// 1 March 2026, noon, in nanoseconds since 1970: what instant 0 is for these ledgers.
let storeNoon: Int64 = 1_772_366_400_000_000_000

func storedAt(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
func nano(_ amount: Int64) -> Money { Money(nanodollars: amount) }
