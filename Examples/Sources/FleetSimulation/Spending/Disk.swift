import CostLedger
import SpillwayCore
import SpillwayTesting
import Synchronization

/// A disk under virtual time: what was written outlives every ledger, and a batch is there whole or not at all.
final class Disk: Sendable {
    private struct Contents {
        var postings: [PostingName: Posting] = [:]
        var balances: [BalanceName: Balance] = [:]
        var lastNumber: UInt64 = 0
    }

    private struct PostingName: Hashable {
        let number: UInt64
        let kind: Posting.Kind
    }

    private struct BalanceName: Hashable {
        let scope: Scope
        let window: Window
        let start: Int64
    }

    private let contents = Mutex(Contents())

    /// All that was posted.
    var postings: [Posting] { contents.withLock { Array($0.postings.values) } }

    /// The store of one ledger: one process.
    ///
    /// When the process dies it writes no more; a batch that it was about to write may be there or not.
    final class Process: LedgerStore {
        private let disk: Disk
        private let time: ManualTime
        private let random: RandomSource
        private let isDead = Atomic(false)

        init(_ disk: Disk, _ time: ManualTime, _ random: RandomSource) {
            self.disk = disk
            self.time = time
            self.random = random
        }

        /// Ends the process here and now.
        func die() { isDead.store(true, ordering: .relaxed) }

        var isAlive: Bool { !isDead.load(ordering: .relaxed) }

        func load(at now: Int64) async throws(StoreError) -> LedgerImage {
            disk.contents.withLock { contents in
                var open: [UInt64: Posting] = [:]
                for posting in contents.postings.values {
                    switch posting.kind {
                    case .held: open[posting.number] = open[posting.number] ?? posting
                    case .suspended: open[posting.number] = posting
                    case .settled, .voided, .saved: break
                    }
                }
                for posting in contents.postings.values where posting.kind == .settled || posting.kind == .voided {
                    open[posting.number] = nil
                }
                return LedgerImage(
                    lastNumber: contents.lastNumber, balances: Array(contents.balances.values),
                    open: open.values.sorted { $0.number < $1.number })
            }
        }

        func append(_ batch: LedgerBatch) async throws(StoreError) {
            try await pause()
            // Now and then the disk refuses, or keeps a batch and does not get to say so: it is given again.
            if random.upTo(19) == 0 { throw StoreError(.full, "no space left") }
            disk.contents.withLock { contents in
                for posting in batch.postings {
                    contents.lastNumber = max(contents.lastNumber, posting.number, posting.operation)
                    let name = PostingName(number: posting.number, kind: posting.kind)
                    if contents.postings[name] == nil { contents.postings[name] = posting }
                }
                for balance in batch.balances {
                    contents.balances[BalanceName(scope: balance.scope, window: balance.window, start: balance.start)] =
                        balance
                }
            }
            try await pause()
            if random.upTo(19) == 0 { throw StoreError(.other, "no answer") }
        }

        private func pause() async throws(StoreError) {
            do { try await time.sleep(for: .microseconds(random.upTo(3_000))) } catch {
                throw StoreError(.other, "interrupted")
            }
            if !isAlive { throw StoreError(.closed, "the process is dead") }
        }
    }
}
