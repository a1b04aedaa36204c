private import CSpillway
internal import SpillwayCore

/// What permits of a ledger point to: the books, the lock around them, and what is done outside of it.
///
/// It keeps itself while holds are open, and so outlives every permit.
final class LedgerState: GateState, @unchecked Sendable {
    let name: GateName
    let label: String
    let isShadow: Bool
    let observer: (any Observer)?
    private let lock = UnsafeMutablePointer<spw_lock>.allocate(capacity: 1)
    private let books: UnsafeMutablePointer<Books>
    /// Brings postings to the store; nil: there is none.
    private(set) var writer: LedgerWriter?
    /// Whether the ledger has gone, and the last hold frees this.
    private var isOrphan = false

    init(_ label: String, _ books: consuming Books, isShadow: Bool, observer: (any Observer)?) {
        self.label = label
        name = GateName(registering: label)
        self.isShadow = isShadow
        self.observer = observer
        self.books = .allocate(capacity: 1)
        self.books.initialize(to: books)
        lock.initialize(to: 0)
        super.init()
    }

    deinit {
        name.release()
        books.deinitialize(count: 1)
        books.deallocate()
        lock.deallocate()
    }

    /// Before the first hold.
    func connect(_ writer: LedgerWriter) { self.writer = writer }

    /// The ledger is gone.
    func orphan() {
        withBooks { books in
            guard books.openHolds > books.restoredHolds else { return }
            isOrphan = true
            _ = Unmanaged.passRetained(self)
        }
    }

    @inline(__always)
    func withBooks<Value: ~Copyable, Failure: Error>(
        _ body: (inout Books) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        spw_lock_acquire(lock)
        defer { spw_lock_release(lock) }
        return try body(&books.pointee)
    }

    override var isMetered: Bool { true }

    // MARK: - Holding

    /// Holds `amount` for an attempt that `account` and `payer` pay for together.
    @inline(__always)
    func hold(
        _ amount: Money, _ account: Account, _ payer: Account? = nil, _ details: HoldDetails? = nil, at now: Instant
    ) throws(Rejection) -> RawPermit {
        if let writer, writer.refuses { throw Rejection(name, .ledgerUnavailable, retryAfter: -1) }
        guard amount >= .zero else { throw Rejection(name, .spendLimit, retryAfter: -1) }
        let (answer, wait, hasPassed) = withBooks { books -> (Books.Answer, Int64, Bool) in
            let time = books.unix(now), (first, second) = lines(account, payer, details)
            guard books.journal.count < LedgerWriter.mostUnwritten else { return (.unavailable, -1, false) }
            let answer = books.hold(amount.nanodollars, first, second, at: time)
            guard case .held(let token) = answer else { return refused(answer, amount, &books, at: time) }
            opened(token, details, &books)
            return (answer, 0, !books.passed.isEmpty)
        }
        if hasPassed { tellOfPassedLimits(at: now) }
        if case .held(let token) = answer { return permit(token, at: now) }
        let reason: Reason =
            switch answer {
            case .tooManyBooks: .tooManyKeys
            case .unavailable: .ledgerUnavailable
            default: .spendLimit
            }
        let rejection = Rejection(name, reason, retryAfter: wait)
        guard isShadow else { throw rejection }
        let forced = withBooks { books in
            let (first, second) = lines(account, payer, details)
            let answer = books.hold(amount.nanodollars, first, second, isBound: false, at: books.unix(now))
            if case .held(let token) = answer { opened(token, details, &books) }
            return answer
        }
        observer?.wouldHaveRejected(rejection)
        guard case .held(let token) = forced else { throw rejection }
        return permit(token, at: now)
    }

    /// The lines that pay; under the lock, because of two attempts of a bill one is the first.
    @inline(__always)
    private func lines(
        _ account: Account, _ payer: Account?, _ details: HoldDetails?
    ) -> (UnsafeBufferPointer<UInt32>, UnsafeBufferPointer<UInt32>?) {
        if details?.bill?.hasBegun == true { return (account.linesOfExtras, payer?.linesOfExtras) }
        return (account.lines, payer?.lines)
    }

    private func permit(_ token: UInt64, at now: Instant) -> RawPermit {
        RawPermit(state: .passUnretained(self), token: token, admitted: now, cost: 0, life: 0)
    }

    @inline(__always)
    private func opened(_ token: UInt64, _ details: HoldDetails?, _ books: inout Books) {
        guard details != nil || books.isStored else { return }
        let place = Int(truncatingIfNeeded: token & 0xffff_ffff)
        if let details {
            books.details[place] = details
            if let bill = details.bill {
                books.holds[place].operation = bill.number
                books.holds[place].attempt = bill.begin()
            }
        }
        if books.isStored { books.post(.held, place, at: books.holds[place].began) }
        writer?.wake(self)
    }

    private func refused(
        _ answer: Books.Answer, _ amount: Money, _ books: inout Books, at time: Int64
    ) -> (Books.Answer, Int64, Bool) {
        guard case .refused(let index) = answer else { return (answer, -1, false) }
        let book = books.books[Int(index)]
        // What is beyond the whole limit is never held, and a window without end never renews.
        guard amount.nanodollars <= book.hard, book.end != .max else { return (answer, -1, false) }
        return (answer, max(0, books.renewal(of: Int(index), for: amount.nanodollars).plus(-time)), false)
    }

    // MARK: - Settling

    override func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {
        settle(permit.token, now) { books, place in
            guard let outcome else { return nil }
            let details = books.details[place]
            if let usage = details.usage {
                return (details.cost, details.isUnpriced ? .estimated : usage.source, outcome)
            }
            guard outcome.mayHaveCost else { return nil }
            return (books.holds[place].amount, .estimated, outcome)
        }
    }

    /// Settles a hold with `cost`; nil: it never ran.
    @inline(__always)
    func settle(_ token: UInt64, _ cost: Money?, _ source: Usage.Source, _ outcome: Outcome, at now: Instant) {
        settle(token, now) { _, _ in cost.map { (max(0, $0.nanodollars), source, outcome) } }
    }

    @inline(__always)
    private func settle(
        _ token: UInt64, _ now: Instant,
        _ reckon: (borrowing Books, _ place: Int) -> (cost: Int64, source: Usage.Source, outcome: Outcome)?
    ) {
        var wasLast = false
        let passed = withBooks { books -> PassedLimits? in
            guard let place = books.place(of: token) else { return nil }
            let end = reckon(books, place)
            if books.isStored {
                let time = books.unix(now)
                if let end {
                    books.post(.settled, place, cost: end.cost, source: end.source, outcome: end.outcome, at: time)
                } else {
                    books.post(.voided, place, at: time)
                }
                // Here and not later: when the hold is settled, the ledger may go.
                writer?.wake(self)
            }
            if !books.details[place].isEmpty {
                books.details[place].bill?.end(cost: end.map { Money(nanodollars: $0.cost) })
                books.details[place] = HoldDetails()
            }
            books.settle(place, cost: end?.cost ?? 0)
            wasLast = isOrphan && books.openHolds == books.restoredHolds
            return books.passed.isEmpty ? nil : takePassed(&books)
        }
        passed?.tell(at: now)
        if wasLast { Unmanaged.passUnretained(self).release() }
    }

    // MARK: - While it runs

    override func use(_ permit: RawPermit, _ usage: Usage, at now: Instant) -> Bool {
        let (goesOn, hasPassed, hasGrown) = withBooks { books -> (Bool, Bool, Bool) in
            guard let place = books.place(of: permit.token), let price = books.details[place].price else {
                return (true, false, false)
            }
            let hold = books.holds[place], details = books.details[place]
            // What has no price is charged as held, never as nothing.
            let priced = try? price.cost(of: usage, service: details.service, at: hold.began).nanodollars
            let cost = priced ?? max(details.cost, hold.amount)
            books.details[place].isUnpriced = priced == nil
            books.details[place].usage = usage
            books.details[place].cost = cost
            guard cost > hold.amount, details.onLimit != .allow else { return (true, false, false) }
            // More than it needs now, so that a stream does not ask for each of its tokens.
            let more = cost - hold.amount
            let isHeld =
                books.extend(place, by: more.plus(min(hold.amount / 4, more)), isBound: !isShadow)
                || books.extend(place, by: more, isBound: !isShadow)
            return (isHeld || details.onLimit == .finish, !books.passed.isEmpty, isHeld)
        }
        if hasPassed { tellOfPassedLimits(at: now) }
        if hasGrown { writer?.wake(self) }
        return goesOn
    }

    /// The number of a hold that is open, else 0.
    func number(of token: UInt64) -> UInt64 {
        withBooks { books in books.place(of: token).map { books.holds[$0].number } ?? 0 }
    }

    /// Holds up to `amount` in all for a call that runs.
    func extend(_ token: UInt64, to amount: Money, at now: Instant) -> Bool {
        let (isHeld, hasPassed) = withBooks { books -> (Bool, Bool) in
            guard let place = books.place(of: token) else { return (false, false) }
            let more = max(0, amount.nanodollars) - books.holds[place].amount
            return (more <= 0 || books.extend(place, by: more, isBound: !isShadow), !books.passed.isEmpty)
        }
        if hasPassed { tellOfPassedLimits(at: now) }
        if isHeld { writer?.wake(self) }
        return isHeld
    }

    private func tellOfPassedLimits(at now: Instant) { withBooks { takePassed(&$0) }?.tell(at: now) }

    private func takePassed(_ books: inout Books) -> PassedLimits? {
        defer { books.passed = [] }
        guard let observer else { return nil }
        let limits = books.passed.map { index in
            let book = books.books[Int(index)]
            return "\(label) \(books.lines[Int(book.line)].scope) \(books.windows[Int(book.window)])"
        }
        return PassedLimits(observer: observer, names: limits)
    }
}

/// Soft limits that were passed, to be told of when the lock is free: by then the ledger may be gone.
private struct PassedLimits {
    let observer: any Observer
    let names: [String]

    func tell(at now: Instant) {
        for name in names {
            observer.changed(Transition(gate: name, from: "within", to: "over the soft limit", at: now))
        }
    }
}

extension Outcome {
    /// Whether an attempt that ended so without saying what it used may have cost something.
    ///
    /// Not where the target did not begin it, or answered with an error before it did. Cancelled is not the same as not
    /// billed: some providers bill the whole answer after the client has gone.
    var mayHaveCost: Bool {
        switch cause {
        case .invalidRequest, .contextTooLong, .serverError: false
        default: !cause.neverBegan
        }
    }
}
