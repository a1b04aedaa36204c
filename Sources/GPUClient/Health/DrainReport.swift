public import SpillwayCore

/// What came of draining a replica.
///
/// ``running`` is always the sum of ``finished``, ``handedOver``, ``lost`` and ``left``.
public struct DrainReport: Sendable, Hashable, CustomStringConvertible {
    /// When it began.
    public let started: Instant
    /// When streams that still run are to be handed over.
    public internal(set) var deadline: Instant
    /// How many streams ran when it began.
    public let running: Int
    /// How many of them came to their end.
    public private(set) var finished = 0
    /// How many of them went on elsewhere.
    public private(set) var handedOver = 0
    /// How many of them were cut off.
    public private(set) var lost = 0
    /// How many of them have not ended.
    public private(set) var left: Int
    /// When the last of them ended; nil: some still run.
    public private(set) var ended: Instant?
    /// When the drain was taken back before it had ended; nil: it was not.
    ///
    /// What ends later is not counted.
    public private(set) var undone: Instant?

    init(started: Instant, deadline: Instant, running: Int) {
        self.started = started
        self.deadline = deadline
        self.running = running
        left = running
        ended = running == 0 ? started : nil
    }

    /// Whether nothing will change any more.
    public var isFinal: Bool { ended != nil || undone != nil }

    /// One line: how many streams ran, and what became of them.
    public var description: String {
        let state = ended != nil ? "drained" : undone != nil ? "taken back" : "draining"
        return
            "\(state): of \(running) streams \(finished) finished, \(handedOver) handed over, \(lost) lost, \(left) left"
    }

    mutating func count(_ end: StreamEnd, at now: Instant) {
        guard !isFinal else { return }
        switch end {
        case .finished: finished += 1
        case .handedOver: handedOver += 1
        case .lost: lost += 1
        }
        left -= 1
        if left == 0 { ended = max(started, now) }
    }

    mutating func undo(at now: Instant) {
        if !isFinal { undone = now }
    }
}
