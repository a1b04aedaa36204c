extension Ledger {
    /// Recounts the books from the holds that are open, and says what does not add up; empty when all does.
    ///
    /// Checked are: what each account has held and in suspense is the sum of its open holds; a rolling window counts what its
    /// steps have taken; no amount is negative; and, with `limitsHeld`, no account has taken more than its hard limit but for
    /// overage. That last holds for as long as no limit is lowered and nothing was held in shadow mode.
    public func audit(limitsHeld: Bool = true) -> [String] {
        state.withBooks { $0.audit(limitsHeld: limitsHeld) }
    }
}

extension Books {
    func audit(limitsHeld: Bool) -> [String] {
        var problems: [String] = [], found: [UInt32: (held: Int64, suspense: Int64, open: UInt32)] = [:]
        for place in holds.indices where holds[place].isOpen {
            let hold = holds[place]
            for slot in 0..<Int(hold.bookCount) {
                let index = holdBooks[place * HoldRecord.mostBooks + slot]
                found[index, default: (0, 0, 0)].open += 1
                if hold.isSuspended {
                    found[index]!.suspense += hold.amount
                } else {
                    found[index]!.held += hold.amount
                }
            }
        }
        let free = Set(freeBooks)
        for index in books.indices where !free.contains(UInt32(index)) {
            let book = books[index], sums = found[UInt32(index)] ?? (0, 0, 0)
            let label = "\(lines[Int(book.line)].scope) book \(index)"
            if (book.held, book.suspense) != (sums.held, sums.suspense) || book.open != sums.open {
                problems.append(
                    "\(label): held \(book.held), in suspense \(book.suspense), \(book.open) open; its holds make "
                        + "\(sums.held), \(sums.suspense), \(sums.open)")
            }
            if min(book.held, book.spent, book.overage, book.suspense) < 0 {
                problems.append("\(label): a negative amount")
            }
            if limitsHeld, !book.isPast, book.counted - overage(of: book) > book.hard {
                problems.append("\(label): took \(book.counted) of \(book.hard)")
            }
        }
        for (scope, line) in places {
            for track in 0..<lines[Int(line)].count {
                let carried = lines[Int(line)].carried[track].reduce(Int64(0)) { $0 + books[Int($1)].taken }
                let book = books[Int(lines[Int(line)].books[track])]
                if book.carried != carried {
                    problems.append("\(scope): carries \(book.carried), its steps took \(carried)")
                }
            }
        }
        let open = holds.indices.count { holds[$0].isOpen }
        if open != openHolds { problems.append("\(openHolds) holds open, found \(open)") }
        return problems
    }

    /// The overage of a current book and of the steps that it carries.
    private func overage(of book: Book) -> Int64 {
        lines[Int(book.line)].carried[Int(book.track)].reduce(book.overage) { $0 + books[Int($1)].overage }
    }
}
