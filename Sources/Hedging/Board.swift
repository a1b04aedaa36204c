public import SpillwayCore
internal import Synchronization

/// What the attempts of one call have come to, in one word, and the caller who waits for news.
///
/// Bits 0…3: attempt 0…3 has ended. Bits 4…6: 1 + the attempt that succeeded, or began to pass its answer on, first; 0: none.
/// Then, one bit each: the alarm rang; the caller was cancelled; the caller waits, and its continuation is there to resume; the
/// caller has gone, and left what runs to itself.
///
/// Why one word suffices. Whoever posts news also takes the waiting bit, in one step, so the caller is resumed once. The
/// caller sets the waiting bit only on the very word that it has looked at: news in between makes it look again.
@usableFromInline
final class Board: Arbiter, @unchecked Sendable {
    /// What the word said at one moment.
    struct News {
        fileprivate let word: UInt64

        var ended: Int { (word & Board.ends).nonzeroBitCount }
        var cancelled: Bool { word & Board.cancelled != 0 }
        var winner: Int? {
            let winner = (word & Board.winners) >> 4
            return winner == 0 ? nil : Int(winner) - 1
        }
        /// Whether the winner still runs: it passes its answer on.
        var committed: Bool { winner.map { word & (1 << UInt64($0)) == 0 } ?? false }
    }

    private static let ends: UInt64 = 0xf
    private static let winners: UInt64 = 0x70
    private static let rang: UInt64 = 1 << 8
    private static let cancelled: UInt64 = 1 << 9
    private static let waiting: UInt64 = 1 << 10
    private static let left: UInt64 = 1 << 11

    private let word = Atomic<UInt64>(0)
    /// Set by the caller before the waiting bit, read by whoever takes that bit.
    private var caller: UnsafeContinuation<Void, Never>?

    @usableFromInline let hedge: HedgeCore
    @usableFromInline let time: any TimeSource
    /// When the first attempt began.
    private let started: Instant

    @usableFromInline
    init(_ hedge: HedgeCore, _ time: any TimeSource, _ started: Instant) {
        self.hedge = hedge
        self.time = time
        self.started = started
    }

    /// Whether the first attempt has ended.
    @usableFromInline
    var isOver: Bool { word.load(ordering: .acquiring) & 1 != 0 }

    /// Whether the caller has gone, and left what runs to itself.
    @usableFromInline
    var isLeft: Bool { word.load(ordering: .acquiring) & Self.left != 0 }

    /// How many attempts have ended.
    var ended: Int { News(word: word.load(ordering: .acquiring)).ended }

    /// The attempt that counts: the winner, or the first where none has won; nil while that one still runs.
    @usableFromInline
    var verdict: Int? {
        let word = word.load(ordering: .acquiring), counts = News(word: word).winner ?? 0
        return word & (1 << UInt64(counts)) == 0 ? nil : counts
    }

    private var winner: Int? { News(word: word.load(ordering: .acquiring)).winner }

    /// What there is to see; for the caller.
    func look() -> News { News(word: word.bitwiseAnd(~Self.rang, ordering: .acquiringAndReleasing).newValue) }

    /// Returns as soon as there is more to see than `news`; for the caller.
    func wait(beyond news: News) async {
        await withUnsafeContinuation { continuation in
            caller = continuation
            let slept = word.compareExchange(
                expected: news.word, desired: news.word | Self.waiting, ordering: .acquiringAndReleasing
            ).exchanged
            if !slept { continuation.resume() }
        }
    }

    /// The attempt as its operation sees it: one that can ask whether it may pass its answer on.
    @usableFromInline
    func entrant(_ attempt: consuming Attempt) -> Attempt {
        attempt.arbiter = self
        return attempt
    }

    /// Makes `attempt` the winner before it has ended, unless there is one.
    func commit(_ attempt: Int) -> Bool {
        let mine = UInt64(attempt + 1) << 4, old = post(mine)
        let won = old & Self.winners == 0
        if old & Self.left != 0 { return false }
        // To a stream the time that counts is the one to here.
        if won, attempt == 0 { hedge.note(since: started, time, succeeded: true) }
        return won || old & Self.winners == mine
    }

    /// Says that `attempt` has ended, as the last thing that it does.
    @usableFromInline
    func end(_ attempt: Int, succeeded: Bool) {
        if attempt == 0, winner != 0 { hedge.note(since: started, time, succeeded: succeeded) }
        var bits: UInt64 = 1 << UInt64(attempt)
        if succeeded { bits |= UInt64(attempt + 1) << 4 }
        if post(bits) & Self.left != 0 { hedge.reaper.ended() }
    }

    /// Says that it is time to look again.
    func ring() { _ = post(Self.rang) }

    /// Says that the caller was cancelled.
    func cancel() { _ = post(Self.cancelled) }

    /// Says that the caller waits no more; returns what it saw last.
    func leave() -> News { News(word: post(Self.left)) }

    private func post(_ bits: UInt64) -> UInt64 {
        var old = word.load(ordering: .relaxed)
        while true {
            // The first success stays, and there is none once the caller has gone.
            let fresh = old & (Self.winners | Self.left) == 0 ? bits : bits & ~Self.winners
            let (done, found) = word.weakCompareExchange(
                expected: old, desired: (old | fresh) & ~Self.waiting, ordering: .acquiringAndReleasing)
            if done { break }
            old = found
        }
        if old & Self.waiting != 0 { caller?.resume() }
        return old
    }
}
