public import SpillwayCore

extension Ledger {
    /// Opens a ledger whose postings outlive the process.
    ///
    /// It goes on where the last one stopped: windows that are not over keep their balances, and what was held when the last one
    /// went away lies in suspense (``suspended()``), because nobody knows what those calls cost.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - prices: What models cost.
    ///   - configuration: Limits, and what else it does.
    ///   - store: Where postings are kept.
    ///   - observer: Told of soft limits that were passed, and of what a ledger in shadow mode would have refused.
    ///   - time: Where the time of retries towards a store that fails comes from.
    ///   - epoch: The wall clock's nanoseconds since 1970 at `Instant.zero`, for tests.
    /// - Throws: `ConfigurationError`, or `StoreError`.
    public static func open(
        _ name: String, prices: PriceBook = PriceBook(), _ configuration: Configuration = Configuration(),
        store: any LedgerStore, observer: (any Observer)? = nil, time: any TimeSource = .system, epoch: Int64? = nil
    ) async throws -> Ledger {
        let ledger = try Ledger(name, prices, configuration, observer, epoch, isStored: true)
        let now = time.now
        let image = try await store.load(at: ledger.state.withBooks { $0.unix(now) })
        ledger.state.connect(LedgerWriter(store, failsOpen: configuration.failsOpen, time: time))
        try ledger.state.withBooks { books throws(StoreError) in try books.restore(image, at: now) }
        do { try await ledger.stored() } catch {
            // Whoever opens again begins with what is stored: what this one still has to say would contradict it.
            ledger.state.writer?.stop()
            throw error
        }
        return ledger
    }

    /// Returns when all that was posted before is stored; at once for a ledger in memory.
    ///
    /// To be awaited before the process ends.
    ///
    /// - Throws: `StoreError` when the store fails; the ledger keeps the postings and goes on trying.
    public func stored() async throws(StoreError) { try await state.writer?.stored(state) }

    /// To be awaited between holding and sending: with ``Durability/holds`` it returns when what is held is stored, else at once.
    ///
    /// - Throws: `StoreError` when the store fails, unless the configuration says to go on then.
    public func storedBeforeDispatch() async throws(StoreError) {
        if durability == .holds { try await storedUnlessOpen() }
    }

    /// To be awaited before an answer counts as answered: with ``Durability/settlements`` and ``Durability/holds`` it returns
    /// when what it cost is stored, else at once.
    ///
    /// - Throws: `StoreError` when the store fails, unless the configuration says to go on then.
    public func storedBeforeAnswer() async throws(StoreError) {
        if durability != .eventual { try await storedUnlessOpen() }
    }

    private func storedUnlessOpen() async throws(StoreError) {
        guard let writer = state.writer, !writer.goesOn else { return }
        do throws(StoreError) { try await writer.stored(state) } catch {
            if !writer.failsOpen { throw error }
        }
    }

    /// What the store fails with at present; nil: it does not, or there is none.
    public var storeFailure: StoreError? { state.writer?.failure }

    /// Holds of which nobody knows how their attempts ended: from before a crash, or older than holds may become.
    ///
    /// They count against the limits until they are resolved.
    public func suspended() -> [Posting] {
        state.withBooks { books in
            books.holds.indices.filter { books.holds[$0].isOpen && books.holds[$0].isSuspended }.map { place in
                let hold = books.holds[place], lines = books.lineSet(of: place)
                return Posting(
                    number: hold.number, kind: .suspended, operation: hold.operation, attempt: hold.attempt,
                    scopes: (0..<lines.count).map { books.lines[Int(lines.lines[$0])].scope }, began: hold.began,
                    time: hold.began, held: Money(nanodollars: hold.amount), cost: .zero,
                    usage: books.details[place].usage, source: .estimated, outcome: .neutral(.cancelled))
            }
        }
    }

    /// Says what a hold in suspense has cost; nil: nothing, and it is voided.
    ///
    /// - Parameters:
    ///   - number: The hold's, as in ``Posting/number``.
    ///   - cost: What it has cost.
    ///   - source: Where that is known from; the provider by default.
    ///   - now: The time of the posting.
    /// - Returns: False when there is no such hold in suspense.
    @discardableResult
    public func resolve(
        _ number: UInt64, cost: Money?, source: Usage.Source = .provider, at now: Instant
    ) -> Bool {
        let token = state.withBooks { books in
            books.holds.indices.first {
                books.holds[$0].isOpen && books.holds[$0].isSuspended && books.holds[$0].number == number
            }.map { UInt64(books.holds[$0].generation) << 32 | UInt64($0) }
        }
        guard let token else { return false }
        state.settle(token, cost, source, .neutral(.cancelled), at: now)
        return true
    }
}
