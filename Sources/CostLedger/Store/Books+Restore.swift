internal import SpillwayCore

extension Books {
    /// Goes on where the ledger of `image` stopped.
    mutating func restore(_ image: LedgerImage, at now: Instant) throws(StoreError) {
        lastNumber = image.lastNumber
        let time = realigned(now)
        // The books of each scope and window, also those that are over but not yet settled.
        var restored: [Place: [UInt32]] = [:]
        for balance in image.balances.sorted(by: { $0.start < $1.start }) {
            guard let line = enter(balance.scope, evicts: false, at: now) else {
                throw StoreError(.other, "more scopes than the ledger has places for: \(mostScopes)")
            }
            leave(line)
            guard let track = lines[Int(line)].windows.firstIndex(of: balance.window) else { continue }
            guard let index = put(balance, line, track) else { continue }
            restored[Place(line: line, track: track), default: []].append(index)
        }
        for posting in image.open { reopen(posting, restored, at: time) }
        // Past books whose holds have been settled under limits that did not know them.
        for index in Set(restored.values.joined()) where books[Int(index)].isPast && !books[Int(index)].isCarried {
            letGo(index)
        }
    }

    private struct Place: Hashable {
        let line: UInt32
        let track: Int
    }

    /// Puts a stored balance in its place; nil: it counts for nothing any more.
    ///
    /// What was held or in suspense comes from the holds that are open, and from nothing else.
    private mutating func put(_ balance: Balance, _ line: UInt32, _ track: Int) -> UInt32? {
        let current = lines[Int(line)].books[track], start = books[Int(current)].start
        var book = Book(
            line: line, track: UInt8(track), window: number(of: balance.window), start: balance.start, end: balance.end)
        book.spent = balance.spent.nanodollars
        book.overage = balance.overage.nanodollars
        let isUnsettled = balance.held != .zero || balance.suspense != .zero
        if balance.start == start, books[Int(current)].taken == 0 {
            book.hard = books[Int(current)].hard
            book.soft = books[Int(current)].soft
            book.carried = books[Int(current)].carried
            books[Int(current)] = book
            if isUnsettled { touch(Int(current)) }
            return current
        }
        book.isPast = true
        // Windows that begin later are from a clock that was ahead: what was spent in them counts in the one there is.
        book.isCarried =
            balance.start > start || (balance.window.span > 0 && balance.end > start &- balance.window.span)
        guard book.isCarried || isUnsettled else { return nil }
        let index = add(book)
        if book.isCarried {
            lines[Int(line)].carried[track].append(index)
            books[Int(current)].carried = books[Int(current)].carried.plus(book.taken)
        }
        if isUnsettled { touch(Int(index)) }
        return index
    }

    /// Puts a hold of the ledger that went away in suspense.
    private mutating func reopen(_ posting: Posting, _ restored: [Place: [UInt32]], at time: Int64) {
        let place = Int(nextPlace())
        freeHolds.removeLast()
        openHolds += 1
        restoredHolds += 1
        holds[place] = HoldRecord(
            generation: holds[place].generation &+ 1, isOpen: true, isSuspended: true, isRestored: true,
            amount: posting.held.nanodollars, began: posting.began, number: posting.number,
            operation: posting.operation, attempt: posting.attempt, isKnown: true)
        details[place].usage = posting.usage
        var count = 0
        for line in posting.scopes.compactMap({ places[$0] }) {
            for track in 0..<lines[Int(line)].count where count < HoldRecord.mostBooks {
                let own = restored[Place(line: line, track: track)] ?? []
                // The first that was not over: one that began a little later has taken a hold whose time was read before.
                let match = own.first { posting.began < books[Int($0)].end }
                let index = match ?? lines[Int(line)].books[track]
                holdBooks[place * HoldRecord.mostBooks + count] = index
                count += 1
                books[Int(index)].open += 1
                // A limit that is new counts it too until it is resolved.
                books[Int(index)].suspense += posting.held.nanodollars
                if books[Int(index)].isCarried { changedPast(Int(index), by: posting.held.nanodollars) }
                touch(Int(index))
            }
        }
        holds[place].bookCount = UInt8(count)
        if posting.kind == .held { post(.suspended, place, at: time) }
    }
}
