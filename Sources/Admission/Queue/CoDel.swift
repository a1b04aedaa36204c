internal import SpillwayCore

/// Says when a queue has been standing for too long, so that one who waits must go.
///
/// Controlled delay (RFC 8289): a queue that is short from time to time absorbs a burst and does good; one whose shortest wait has
/// been above the target for a whole interval only makes everybody late. Then one is dropped, and others at a rate that rises
/// with the square root of their number, until the wait is below the target again.
struct CoDel {
    /// Nanoseconds.
    let target: Int64
    /// Nanoseconds.
    let interval: Int64
    /// Until when the wait must stay above the target for the first drop; nil: it is below.
    private var firstAbove: Int64?
    private var dropNext: Int64 = 0
    private var isDropping = false
    private var count = 0
    private var lastCount = 0

    init(target: Duration, interval: Duration) {
        self.target = target.clampedNanoseconds
        self.interval = max(1, interval.clampedNanoseconds)
    }

    /// Whether to drop one, now that a call's turn has come after it `waited`.
    mutating func drops(after waited: Int64, at now: Int64) -> Bool {
        guard isStanding(waited, now) else {
            isDropping = false
            return false
        }
        if isDropping {
            guard now >= dropNext else { return false }
            count += 1
            dropNext = next(after: dropNext)
            return true
        }
        isDropping = true
        // Soon after the last time, it goes on at nearly the rate that helped then.
        let recent = count - lastCount
        count = recent > 1 && now - dropNext < 16 * interval ? recent : 1
        lastCount = count
        dropNext = next(after: now)
        return true
    }

    private mutating func isStanding(_ waited: Int64, _ now: Int64) -> Bool {
        guard waited >= target else {
            firstAbove = nil
            return false
        }
        guard let firstAbove else {
            self.firstAbove = now + interval
            return false
        }
        return now >= firstAbove
    }

    private func next(after now: Int64) -> Int64 { now + Int64(Double(interval) / Double(count).squareRoot()) }
}
