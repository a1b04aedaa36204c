public import SpillwayCore

/// A store in memory, for the limits of one process and for tests: what it keeps ends with it.
public final class MemoryLeaseStore: LeaseStore {
    private struct Contents {
        var books: [String: LeaseBook] = [:]
        var starts = 1
        /// So many books make it look for those that nobody misses.
        var most = 64
        var startedAt: Instant
    }

    private let time: any TimeSource
    private let contents: Locked<Contents>

    /// An empty store that was started long ago.
    ///
    /// - Parameter time: The store's clock; the system's by default.
    public init(time: any TimeSource = .system) {
        self.time = time
        contents = Locked(Contents(startedAt: Instant(nanoseconds: .min / 2)))
    }

    /// Takes note of what a holder says, and gives it what it may have.
    public func exchange(_ request: LeaseRequest) async throws(LeaseStoreError) -> LeaseReply {
        serve(request, at: time.now)
    }

    /// The same at once.
    package func serve(_ request: LeaseRequest, at now: Instant) -> LeaseReply {
        let moment = now.nanoseconds / 1_000
        return contents.withLock { contents in
            if contents.books.count >= contents.most {
                contents.books = contents.books.filter { $0.value.expires > moment }
                contents.most = max(64, 2 * contents.books.count)
            }
            return contents.books[request.key, default: LeaseBook()].exchange(
                request, at: moment, era: "\(contents.starts)",
                up: contents.startedAt.duration(to: now).microseconds)
        }
    }

    /// How many limits it remembers.
    package var count: Int { contents.withLock { $0.books.count } }

    /// Starts it anew, as a server that was killed: with what it knew, or without.
    public func restart(keepingData: Bool) {
        let now = time.now
        contents.withLock { contents in
            contents.starts += 1
            contents.startedAt = now
            if !keepingData { contents.books = [:] }
        }
    }
}
