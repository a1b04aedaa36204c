internal import SpillwayCore

// Scopes come and go, and windows end: off the path of most calls.
extension Books {
    /// The line of `scope`, for one account more; nil: there are too many scopes in use.
    ///
    /// - Parameter evicts: Whether scopes that are over make room.
    mutating func enter(_ scope: Scope, evicts: Bool = true, at now: Instant) -> UInt32? {
        let time = realigned(now)
        if let index = places[scope] {
            lines[Int(index)].accounts += 1
            return index
        }
        if places.count >= mostScopes {
            if evicts { evict(at: time) }
            guard places.count < mostScopes else { return nil }
        }
        let index = freeLines.popLast() ?? UInt32(lines.count)
        if Int(index) == lines.count {
            lines.append(Line(scope: scope))
        } else {
            lines[Int(index)] = Line(scope: scope)
        }
        lines[Int(index)].accounts = 1
        places[scope] = index
        setTracks(index, ScopeLimits(of: scope, limits), at: time)
        return index
    }

    /// How many books a hold for the scope touches.
    func bookCount(of scope: Scope) -> Int {
        places[scope].map { lines[Int($0)].count } ?? ScopeLimits(of: scope, limits).list.count
    }

    /// One account less pays for the scope.
    mutating func leave(_ line: UInt32) { lines[Int(line)].accounts -= 1 }

    /// Puts new limits in force; what was spent in windows that go on stays spent.
    mutating func update(_ limits: [SpendLimit], at now: Instant) {
        let time = realigned(now)
        self.limits = limits
        for index in places.values { setTracks(index, ScopeLimits(of: lines[Int(index)].scope, limits), at: time) }
    }

    /// Gives a scope a current book for each of its limits; the books of windows that it has already stay.
    private mutating func setTracks(_ line: UInt32, _ wanted: ScopeLimits, at time: Int64) {
        let old = lines[Int(line)]
        var kept: Set<Int> = []
        lines[Int(line)].count = wanted.list.count
        lines[Int(line)].windows = wanted.list.map(\.window)
        lines[Int(line)].carried = Array(repeating: [], count: wanted.list.count)
        for (track, limit) in wanted.list.enumerated() {
            let index: UInt32
            if let before = old.windows.firstIndex(of: limit.window) {
                kept.insert(before)
                index = old.books[before]
                lines[Int(line)].carried[track] = old.carried[before]
                for past in [index] + old.carried[before] { books[Int(past)].track = UInt8(track) }
            } else {
                index = makeBook(line, track, at: time)
            }
            books[Int(index)].hard = limit.hard?.nanodollars ?? .max
            books[Int(index)].soft = limit.soft?.nanodollars ?? .max
            books[Int(index)].hasWarned = false
            lines[Int(line)].books[track] = index
        }
        for track in 0..<old.count where !kept.contains(track) {
            for index in old.carried[track] { letGo(index) }
            books[Int(old.books[track])].isPast = true
            letGo(old.books[track])
        }
    }

    private mutating func makeBook(_ line: UInt32, _ track: Int, at time: Int64) -> UInt32 {
        let window = lines[Int(line)].windows[track]
        let (start, end) = window.bounds(at: time)
        return add(Book(line: line, track: UInt8(track), window: number(of: window), start: start, end: end))
    }

    /// Puts a book where there is room.
    mutating func add(_ book: Book) -> UInt32 {
        guard let index = freeBooks.popLast() else {
            books.append(book)
            return UInt32(books.count - 1)
        }
        books[Int(index)] = book
        return index
    }

    /// The number of a kind of window: there are few.
    mutating func number(of window: Window) -> UInt16 {
        if let known = windows.firstIndex(of: window) { return UInt16(known) }
        windows.append(window)
        return UInt16(windows.count - 1)
    }

    /// Begins the window that `time` is in; returns its book, or the one there is when the clock turns out to be behind.
    mutating func roll(_ line: UInt32, _ track: Int, at asked: Int64) -> UInt32 {
        let old = lines[Int(line)].books[track]
        var time = asked
        if followsSystem {
            let epoch = WallClock.epoch
            time = time &- self.epoch &+ epoch
            self.epoch = epoch
            guard time >= books[Int(old)].end else { return old }
        }
        let new = makeBook(line, track, at: time)
        books[Int(new)].hard = books[Int(old)].hard
        books[Int(new)].soft = books[Int(old)].soft
        books[Int(old)].isPast = true
        lines[Int(line)].books[track] = new
        let span = lines[Int(line)].windows[track].span, from = books[Int(new)].start &- span
        var carried: [UInt32] = [], taken: Int64 = 0
        for index in lines[Int(line)].carried[track] + [old] {
            books[Int(index)].isCarried = span > 0 && books[Int(index)].end > from
            if books[Int(index)].isCarried {
                carried.append(index)
                taken = taken.plus(books[Int(index)].taken)
            } else {
                letGo(index)
            }
        }
        lines[Int(line)].carried[track] = carried
        books[Int(new)].carried = taken
        return new
    }

    /// When `amount` will fit at the earliest, in nanoseconds since 1970: when the window ends, or of a rolling one, when enough of
    /// its old steps count no more.
    func renewal(of index: Int, for amount: Int64) -> Int64 {
        let book = books[index], line = lines[Int(book.line)], span = line.windows[Int(book.track)].span
        guard span > 0 else { return book.end }
        var excess = book.counted.plus(amount).plus(-book.hard), end = book.end
        for past in line.carried[Int(book.track)] where excess > 0 {
            excess -= books[Int(past)].taken
            end = books[Int(past)].end
        }
        // Not the old steps alone: the present one, too.
        if excess > 0 { end = book.end }
        // It counts until a step begins that is a span later.
        let step = line.windows[Int(book.track)].bounds(at: end.plus(span))
        return step.start == end.plus(span) ? step.start : step.end
    }

    /// What a book that is past has taken has grown by `growth`.
    mutating func changedPast(_ index: Int, by growth: Int64) {
        if books[index].isCarried {
            let current = Int(lines[Int(books[index].line)].books[Int(books[index].track)])
            books[current].carried = books[current].carried.plus(growth)
        } else {
            letGo(UInt32(index))
        }
    }

    /// Frees a past book that nothing can change any more and that counts nowhere.
    mutating func letGo(_ index: UInt32) {
        books[Int(index)].isCarried = false
        guard books[Int(index)].open == 0, books[Int(index)].suspense == 0, !books[Int(index)].isFree else { return }
        books[Int(index)].isFree = true
        // One that the store does not know yet is freed when it has been told.
        if books[Int(index)].isDirty { journal.condemned.append(index) } else { freeBooks.append(index) }
    }

    /// Drops scopes that nobody pays for, that owe nothing, and whose windows are over.
    private mutating func evict(at time: Int64) {
        // Those that a hold or money in suspense still needs.
        let busy = books.indices.reduce(into: Set<UInt32>()) { busy, index in
            if books[index].open > 0 || books[index].suspense > 0 { busy.insert(books[index].line) }
        }
        for (scope, index) in places {
            let line = lines[Int(index)]
            guard line.accounts == 0, line.unwritten == 0, !busy.contains(index) else { continue }
            let own = (0..<line.count).map { line.books[$0] }
            let isOver = own.enumerated().allSatisfy { track, index in
                let book = books[Int(index)]
                return book.end.plus(line.windows[track].span) <= time
            }
            guard isOver else { continue }
            for track in 0..<line.count {
                for index in line.carried[track] + [own[track]] {
                    books[Int(index)].isPast = true
                    letGo(index)
                }
            }
            places[scope] = nil
            freeLines.append(index)
        }
    }

    /// Nanoseconds since 1970, by the clock as it goes now.
    mutating func realigned(_ now: Instant) -> Int64 {
        if followsSystem { epoch = WallClock.epoch }
        return unix(now)
    }
}

/// The limits of one scope; one without any is counted by the hour and bound by nothing.
///
/// By the hour, so that its place is soon free when nobody pays for it any more.
struct ScopeLimits {
    let list: [(window: Window, hard: Money?, soft: Money?)]

    init(of scope: Scope, _ limits: [SpendLimit]) {
        let own = SpendLimit.of(scope, limits)
        list = own.isEmpty ? [(.hour, nil, nil)] : own.map { ($0.window, $0.hard, $0.soft) }
    }
}
