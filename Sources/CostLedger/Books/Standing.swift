public import SpillwayCore

/// How a scope stands in one of its windows.
public struct Standing: Sendable, Hashable {
    /// The account of the window; of a rolling one that of its present step.
    public let balance: Balance
    /// What older steps of a rolling window have taken and still counts; nothing for others.
    public let carried: Money
    /// What is never spent more than; nil: there is no such bound.
    public let hard: Money?
    /// What the observer is told of when it is passed; nil: nothing.
    public let soft: Money?

    /// Whose it is.
    public var scope: Scope { balance.scope }
    /// The kind of window.
    public var window: Window { balance.window }
    /// All that counts against the limits: held, spent, over and in suspense.
    public var taken: Money { balance.taken + carried }
    /// What may still be held; nil: there is no hard limit.
    ///
    /// Never negative.
    public var remaining: Money? { hard.map { Swift.max(.zero, $0 - taken) } }
    /// When the window renews, in nanoseconds since 1970; nil: never.
    ///
    /// Of a rolling one, when its present step ends.
    public var renews: Int64? { balance.end == .max ? nil : balance.end }
}

extension Ledger {
    /// How `scope` stands in each of its windows, as at `now`; empty for one that the ledger does not know.
    public func standings(of scope: Scope, at now: Instant) -> [Standing] {
        state.withBooks { books in
            let time = books.realigned(now)
            return books.places[scope].map { books.standings(of: $0, at: time) } ?? []
        }
    }

    /// How all scopes stand, of one kind or of all, in no order.
    ///
    /// Holds up calls for about a microsecond for each.
    public func standings(_ kind: Scope.Kind? = nil, at now: Instant) -> [Standing] {
        state.withBooks { books in
            let time = books.realigned(now)
            let lines = books.places.filter { kind == nil || $0.key.kind == kind }.values
            return lines.flatMap { books.standings(of: $0, at: time) }
        }
    }

    /// What is held for calls under way, and how many they are.
    public var open: (holds: Int, held: Money) {
        state.withBooks { books in
            var held = Money.zero
            for place in books.holds.indices where books.holds[place].isOpen && !books.holds[place].isSuspended {
                held += Money(nanodollars: books.holds[place].amount)
            }
            return (books.openHolds, held)
        }
    }
}

extension Account {
    /// How each scope of the account stands in each of its windows.
    public func standings(at now: Instant) -> [Standing] {
        scopes.flatMap { ledger.standings(of: $0, at: now) }
    }

    /// What may still be held by all scopes of the account; nil: nothing bounds them.
    public func remaining(at now: Instant) -> Money? { standings(at: now).compactMap(\.remaining).min() }
}

extension Books {
    /// How a scope stands; begins windows that have come meanwhile.
    mutating func standings(of line: UInt32, at time: Int64) -> [Standing] {
        for track in 0..<lines[Int(line)].count where time >= books[Int(lines[Int(line)].books[track])].end {
            _ = roll(line, track, at: time)
        }
        return (0..<lines[Int(line)].count).map { track in
            let book = books[Int(lines[Int(line)].books[track])]
            return Standing(
                balance: balance(of: book), carried: Money(nanodollars: book.carried),
                hard: book.hard == .max ? nil : Money(nanodollars: book.hard),
                soft: book.soft == .max ? nil : Money(nanodollars: book.soft))
        }
    }

    /// A book as the store and reports see it.
    func balance(of book: Book) -> Balance {
        Balance(
            scope: lines[Int(book.line)].scope, window: windows[Int(book.window)], start: book.start, end: book.end,
            held: Money(nanodollars: book.held), spent: Money(nanodollars: book.spent),
            overage: Money(nanodollars: book.overage), suspense: Money(nanodollars: book.suspense))
    }
}
