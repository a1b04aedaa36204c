internal import Synchronization

/// How many extra attempts may still be made for one call, by all who take part in it.
///
/// A budget that is never paid into. The outermost caller makes it; services further in get theirs from the headers of their
/// request (`CallContext(headers:at:)`), as a loan out of the caller's. So a call is attempted no more than
/// 1 + allowance times in all, however many services retry and hedge.
public final class Allowance: AttemptBudget {
    /// How many there were at first.
    public let attempts: Int
    /// How many are left; closed: −1 − how many were left then.
    private let left: Atomic<Int>

    /// An allowance of so many extra attempts; below 0 counts as 0.
    public init(_ attempts: Int) {
        self.attempts = max(0, attempts)
        left = Atomic(self.attempts)
    }

    /// How many may still be made.
    public var remaining: Int { max(0, left.load(ordering: .acquiring)) }

    /// How many were made, or are lent.
    public var spent: Int {
        let left = left.load(ordering: .acquiring)
        return attempts - (left >= 0 ? left : ~left)
    }

    /// Does nothing: nobody pays in.
    public func deposit(at now: Instant) {}

    /// Takes one attempt out; false when none is left.
    public func withdraw(at now: Instant) -> Bool { take(atMost: 1) == 1 }

    /// Puts one attempt back.
    public func restore() { putBack(1) }

    /// Lets nothing more be spent, and returns what was: for the answer to whoever lent it.
    ///
    /// What is still lent counts as spent.
    public func close() -> Int {
        change { $0 >= 0 ? ~$0 : nil }
        return spent
    }

    /// Takes out up to `limit`, and up to this share of what is left; returns how much that was.
    func take(atMost limit: Int, share: Double = 1) -> Int {
        func part(of left: Int) -> Int {
            // At 1 not by way of `Double`, which rounds what is beyond 2^53, and up.
            let most = share >= 1 ? left : Int(Double(left) * max(0, share))
            return max(0, min(left, limit, most))
        }
        return part(of: change { part(of: $0) > 0 ? $0 - part(of: $0) : nil })
    }

    /// Puts back what was taken out, unless the allowance is closed.
    func putBack(_ count: Int) {
        change { [attempts] left in left >= 0 && count > 0 ? left + min(count, attempts - left) : nil }
    }

    /// Replaces what is left, unless `body` says nil; returns what it was.
    @discardableResult
    private func change(_ body: (Int) -> Int?) -> Int {
        var old = left.load(ordering: .acquiring)
        while let new = body(old) {
            let (done, found) = left.compareExchange(
                expected: old, desired: new, ordering: .acquiringAndReleasing)
            if done { break }
            old = found
        }
        return old
    }
}
