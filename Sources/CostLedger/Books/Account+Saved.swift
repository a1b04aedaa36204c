public import SpillwayCore

extension Account {
    /// Posts that a cache had an answer, as saved: no limit and no balance knows of it, and no report counts it as spent.
    ///
    /// It is worth what the call would have cost by the account's price. For an account of who asks, which has none, ask the one
    /// of the model: `model.save(usage, for: bill, at: now)`.
    ///
    /// - Parameters:
    ///   - usage: What the call used that made the answer, or an estimate.
    ///   - payer: Who would have paid beside the account, as in `Call.payer`; the answer then belongs to the operation of a
    ///     ``Bill``. Nobody by default.
    ///   - now: When the answer was given.
    /// - Returns: What was saved. While the store fails and a million postings wait for it, nothing is posted any more.
    /// - Throws: `Unpriced`, also for a payer of another ledger, who has no price here; then nothing was posted.
    @discardableResult
    public func save(
        _ usage: Usage, for payer: (any Payer)? = nil, at now: Instant
    ) throws(Unpriced) -> Money {
        let bill = payer as? Bill, other = bill?.account ?? payer as? Account
        guard other.map({ $0.ledger === ledger }) ?? (payer == nil) else { throw .model }
        let pricing = priced != nil ? self : other ?? self
        guard let priced = pricing.priced else { throw .model }
        let time = ledger.state.withBooks { $0.unix(now) }
        let amount = try priced.cost(of: usage, service: pricing.service, at: time)
        ledger.state.save(
            amount, usage, lines, other === self ? nil : other?.lines, operation: bill?.number, at: time)
        return amount
    }
}

extension LedgerState {
    /// Tells the store of an answer that was saved.
    fileprivate func save(
        _ amount: Money, _ usage: Usage, _ first: UnsafeBufferPointer<UInt32>, _ second: UnsafeBufferPointer<UInt32>?,
        operation: UInt64?, at time: Int64
    ) {
        guard let writer else { return }
        withBooks { books in
            guard books.journal.count < LedgerWriter.mostUnwritten else { return }
            books.save(amount.nanodollars, usage, first, second, operation, at: time)
        }
        writer.wake(self)
    }
}

extension Books {
    fileprivate mutating func save(
        _ amount: Int64, _ usage: Usage, _ first: UnsafeBufferPointer<UInt32>, _ second: UnsafeBufferPointer<UInt32>?,
        _ operation: UInt64?, at time: Int64
    ) {
        var set = LineSet()
        for line in first { set.insert(line) }
        // Sixteen at most: eight scopes each.
        if let second { for line in second { set.insert(line) } }
        lastNumber += 1
        journal.write(
            Journal.Entry(
                number: lastNumber, kind: .saved, operation: operation ?? lastNumber, attempt: 0, lines: set,
                began: time, time: time, held: 0, cost: amount, usage: usage, source: usage.source, outcome: .success))
        for index in 0..<set.count { lines[Int(set.lines[index])].unwritten += 1 }
    }
}
