internal import SpillwayCore

/// All books of a ledger, to be touched under its lock.
///
/// The path of every call touches arrays of plain values alone: which books are current, their balances, and the holds.
struct Books: ~Copyable {
    var limits: [SpendLimit] = []
    /// Nanoseconds since 1970 at `Instant.zero`.
    var epoch: Int64
    /// Whether ``epoch`` follows the machine's clocks.
    let followsSystem: Bool
    let mostScopes: Int
    /// Nanoseconds after which a hold goes to suspense.
    let holdLifetime: Int64

    // The scopes.
    var lines = Slab<Line>()
    var freeLines: [UInt32] = []
    var places: [Scope: UInt32] = [:]
    // Their books.
    /// The kinds of windows that there are.
    var windows: [Window] = []
    var books = Slab<Book>()
    var freeBooks: [UInt32] = []
    // The holds, each with its books from 16 × its place on.
    var holds = Slab<HoldRecord>()
    var holdBooks = Slab<UInt32>()
    var details = Slab<HoldDetails>()
    var freeHolds: ContiguousArray<UInt32> = []
    var oldest = Int32(-1)
    var newest = Int32(-1)
    var openHolds = 0
    /// Those among them that an earlier ledger left open: no permit points to them.
    var restoredHolds = 0
    var lastNumber: UInt64 = 0
    // What the shell has to do when the lock is free again.
    var passed: [UInt32] = []
    /// Whether there is a store.
    let isStored: Bool
    /// What the store is to be told.
    var journal = Journal()

    init(_ limits: [SpendLimit], epoch: Int64?, mostScopes: Int, holdLifetime: Duration, isStored: Bool) {
        self.isStored = isStored
        self.limits = limits
        self.epoch = epoch ?? WallClock.epoch
        followsSystem = epoch == nil
        self.mostScopes = mostScopes
        self.holdLifetime = holdLifetime.clampedNanoseconds
    }

    /// Nanoseconds since 1970.
    func unix(_ now: Instant) -> Int64 {
        now.nanoseconds.plus(epoch)
    }

    // MARK: - Holds

    /// What came of asking for a hold.
    enum Answer {
        case held(token: UInt64)
        /// The book that refused.
        case refused(by: UInt32)
        case tooManyBooks
        /// Too much is still to be stored.
        case unavailable
    }

    /// Holds `amount` in every book of both accounts, or in none.
    ///
    /// Unbound, it holds whatever the limits say.
    mutating func hold(
        _ amount: Int64, _ first: UnsafeBufferPointer<UInt32>, _ second: UnsafeBufferPointer<UInt32>?,
        isBound: Bool = true, at time: Int64
    ) -> Answer {
        if oldest >= 0 { expire(at: time) }
        let place = nextPlace()
        let base = Int(place) * HoldRecord.mostBooks
        var count = 0
        // First all are asked, then all are charged.
        for index in first {
            if let answer = ask(index, amount, base, &count, isBound, at: time) { return answer }
        }
        if let second {
            for index in second where !first.contains(index) {
                if let answer = ask(index, amount, base, &count, isBound, at: time) { return answer }
            }
        }
        for slot in base..<base + count {
            let index = Int(holdBooks[slot])
            books[index].held = books[index].held.plus(amount)
            books[index].open += 1
            warn(index)
            if isStored { touch(index) }
        }
        return .held(token: open(place, count, amount, at: time))
    }

    @inline(__always)
    private mutating func ask(
        _ line: UInt32, _ amount: Int64, _ base: Int, _ count: inout Int, _ isBound: Bool, at time: Int64
    ) -> Answer? {
        let number = lines[Int(line)].count
        guard count + number <= HoldRecord.mostBooks else { return .tooManyBooks }
        for track in 0..<number {
            var index = lines[Int(line)].books[track]
            if time >= books[Int(index)].end { index = roll(line, track, at: time) }
            guard books[Int(index)].admits(amount, isBound: isBound) else { return .refused(by: index) }
            holdBooks[base + count] = index
            count += 1
        }
        return nil
    }

    /// The place that the next hold takes, which it may leave free.
    mutating func nextPlace() -> UInt32 {
        // Not `last`, which allocates in builds without optimisation.
        if !freeHolds.isEmpty { return freeHolds[freeHolds.count - 1] }
        let place = UInt32(holds.count)
        holds.append(HoldRecord())
        details.append(HoldDetails())
        for _ in 0..<HoldRecord.mostBooks { holdBooks.append(0) }
        freeHolds.append(place)
        return place
    }

    @inline(__always)
    private mutating func open(_ place: UInt32, _ count: Int, _ amount: Int64, at time: Int64) -> UInt64 {
        freeHolds.removeLast()
        openHolds += 1
        lastNumber += 1
        let index = Int(place)
        let generation = holds[index].generation &+ 1
        holds[index] = HoldRecord(
            generation: generation, isOpen: true, bookCount: UInt8(count), older: newest, amount: amount, began: time,
            number: lastNumber, operation: lastNumber)
        if newest >= 0 { holds[Int(newest)].newer = Int32(place) } else { oldest = Int32(place) }
        newest = Int32(place)
        return UInt64(generation) << 32 | UInt64(place)
    }

    /// The place of the hold that `token` stands for; nil when it has been settled.
    @inline(__always)
    func place(of token: UInt64) -> Int? {
        let place = Int(truncatingIfNeeded: token & 0xffff_ffff)
        guard place < holds.count, holds[place].isOpen, holds[place].generation == UInt32(token >> 32) else {
            return nil
        }
        return place
    }

    /// Moves what was held to what was spent, and frees the place.
    @inline(__always)
    mutating func settle(_ place: Int, cost: Int64) {
        let amount = holds[place].amount, within = min(cost, amount), over = cost - within
        let isSuspended = holds[place].isSuspended
        forBooks(of: place) { book in
            if isSuspended { book.suspense -= amount } else { book.held -= amount }
            book.spent = book.spent.plus(within)
            book.overage = book.overage.plus(over)
            book.open -= 1
            return cost - amount
        }
        // Overage may pass what the hold had not.
        if over > 0 { warnOfBooks(of: place) }
        free(place)
    }

    /// Holds `more` for a call that runs, in all its books or in none.
    mutating func extend(_ place: Int, by more: Int64, isBound: Bool = true) -> Bool {
        let base = place * HoldRecord.mostBooks, count = Int(holds[place].bookCount)
        guard !holds[place].isSuspended else { return false }
        for slot in base..<base + count {
            let index = Int(holdBooks[slot])
            guard room(of: index, for: more, isBound) else { return false }
        }
        forBooks(of: place) { book in
            book.held = book.held.plus(more)
            return more
        }
        warnOfBooks(of: place)
        holds[place].amount = holds[place].amount.plus(more)
        // Else nobody would know after a crash whose money that was.
        if isStored { post(.held, place, at: holds[place].began) }
        return true
    }

    /// Whether a book, current or past, has room for `more`: one that is carried also needs it in the current book.
    private func room(of index: Int, for more: Int64, _ isBound: Bool) -> Bool {
        guard books[index].admits(more, isBound: isBound) else { return false }
        guard books[index].isCarried else { return true }
        return books[Int(lines[Int(books[index].line)].books[Int(books[index].track)])].admits(more, isBound: isBound)
    }

    /// Changes the books of a hold by `change`, which says by how much what they have taken grows.
    @inline(__always)
    private mutating func forBooks(of place: Int, _ change: (inout Book) -> Int64) {
        let base = place * HoldRecord.mostBooks
        for slot in base..<base + Int(holds[place].bookCount) {
            let index = Int(holdBooks[slot])
            let growth = change(&books[index])
            if isStored { touch(index) }
            if books[index].isPast { changedPast(index, by: growth) }
        }
    }

    @inline(__always)
    private mutating func free(_ place: Int) {
        if !holds[place].isSuspended { unlink(place) }
        if holds[place].isRestored { restoredHolds -= 1 }
        holds[place].isOpen = false
        freeHolds.append(UInt32(place))
        openHolds -= 1
    }

    /// Takes a hold out of the list of holds by age.
    @inline(__always)
    private mutating func unlink(_ place: Int) {
        let older = holds[place].older, newer = holds[place].newer
        if older >= 0 { holds[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { holds[Int(newer)].older = older } else { newest = older }
    }

    // MARK: - Suspense and the journal

    /// Tells the store what became of a hold.
    mutating func post(
        _ kind: Posting.Kind, _ place: Int, cost: Int64 = 0, source: Usage.Source = .estimated,
        outcome: Outcome = .neutral(.cancelled), at time: Int64
    ) {
        let hold = holds[place]
        let entry = Journal.Entry(
            number: hold.number, kind: kind, operation: hold.operation, attempt: hold.attempt,
            lines: lineSet(of: place), began: hold.began, time: time, held: hold.amount, cost: cost,
            usage: details[place].usage, source: source,
            outcome: outcome)
        guard journal.write(entry, &holds[place]) else { return }
        for index in 0..<entry.lines.count { lines[Int(entry.lines.lines[index])].unwritten += 1 }
    }

    /// Moves holds that have outlived their time to suspense: they still count against the limits.
    mutating func expire(at time: Int64) {
        while oldest >= 0, time - holds[Int(oldest)].began > holdLifetime { suspend(Int(oldest)) }
    }

    private mutating func suspend(_ place: Int) {
        let amount = holds[place].amount
        forBooks(of: place) { book in
            book.held -= amount
            book.suspense = book.suspense.plus(amount)
            return 0
        }
        unlink(place)
        holds[place].isSuspended = true
        if isStored { post(.suspended, place, at: holds[place].began &+ holdLifetime) }
    }

    // MARK: - Limits that are passed

    private mutating func warnOfBooks(of place: Int) {
        let base = place * HoldRecord.mostBooks
        for slot in base..<base + Int(holds[place].bookCount) {
            let index = Int(holdBooks[slot])
            if !books[index].isFree { warn(index) }
        }
    }

    /// Takes note when the soft limit of a book is passed, once.
    @inline(__always)
    private mutating func warn(_ index: Int) {
        guard books[index].counted > books[index].soft, !books[index].hasWarned else { return }
        books[index].hasWarned = true
        passed.append(UInt32(index))
    }

    @inline(__always)
    mutating func touch(_ index: Int) {
        guard !books[index].isDirty else { return }
        books[index].isDirty = true
        journal.dirty.append(UInt32(index))
    }

    /// The books that the store does not know as they are now; those that nothing can change any more are freed.
    mutating func takeDirty() -> [Balance] {
        let balances = journal.dirty.map { index in
            books[Int(index)].isDirty = false
            return balance(of: books[Int(index)])
        }
        freeBooks += journal.condemned
        journal.dirty = []
        journal.condemned = []
        return balances
    }

    /// The lines whose books a hold touches, each once; the rest 0, and how many there are.
    func lineSet(of place: Int) -> LineSet {
        var set = LineSet()
        let base = place * HoldRecord.mostBooks
        for slot in base..<base + Int(holds[place].bookCount) { set.insert(books[Int(holdBooks[slot])].line) }
        return set
    }
}
