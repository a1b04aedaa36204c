public import SpillwayCore

/// A stream that runs on a replica.
public struct StreamID: Sendable, Hashable {
    let slot: UInt32
    let life: UInt32
    /// Counts the streams of the replica, from 1, in the order in which they began.
    let number: UInt64
}

/// How a stream left its replica.
public enum StreamEnd: String, Sendable, Hashable, CaseIterable {
    /// It came to its end, or its caller went away.
    case finished
    /// It goes on elsewhere.
    case handedOver = "handed_over"
    /// It was cut off, and goes on nowhere.
    case lost
}

/// The streams that run on one replica, so that none is forgotten when it is drained.
///
/// Whoever sends a stream there asks ``begin()`` first, and tells ``end(_:_:at:)`` once. A stream that goes on elsewhere begins
/// there anew.
public final class StreamRegistry: Sendable {
    private struct Contents: ~Copyable {
        var slots = StreamSlots()
        var isDead = false
        var isDrained = false
        var report: DrainReport?

        func isOver(at now: Instant) -> Bool { isDrained && report.map { now >= $0.deadline } ?? false }
    }

    private let contents = Locked(Contents())

    init() {}

    /// Enters a stream; nil: the replica is drained or dead, so choose another.
    ///
    /// Decided under the same lock as the drain: what was let in is in its report.
    public func begin() -> StreamID? {
        contents.withLock { $0.isDead || $0.isDrained ? nil : $0.slots.take() }
    }

    /// Takes a stream out.
    ///
    /// - Returns: Whether it ran: false when its end was told before.
    @discardableResult
    public func end(_ id: StreamID, _ end: StreamEnd, at now: Instant) -> Bool {
        contents.withLock { contents in
            guard contents.slots.give(id) else { return false }
            contents.report?.count(end, at: now)
            return true
        }
    }

    /// How many streams run.
    public var running: Int { contents.withLock { $0.slots.running } }

    /// The streams that must go on elsewhere at `now`: all of a dead replica, and all of a drained one after its deadline.
    ///
    /// They are listed until their end is told.
    public func mustHandOver(at now: Instant) -> [StreamID] {
        contents.withLock { contents in
            contents.isDead || contents.isOver(at: now) ? contents.slots.all : []
        }
    }

    /// Whether it is drained, or to be once it lives again.
    var isDrained: Bool { contents.withLock { $0.isDrained } }

    /// Whether it is drained, and its deadline is past.
    func isDrainOver(at now: Instant) -> Bool { contents.withLock { $0.isOver(at: now) } }

    /// What has come of the last drain; nil: there was none.
    public var drainReport: DrainReport? { contents.withLock { $0.report } }

    /// The number of the last stream that began.
    var begun: UInt64 { contents.withLock { $0.slots.begun } }

    func drain(deadline: Instant, at now: Instant) -> DrainReport {
        contents.withLock { contents in
            if contents.isDrained, var report = contents.report {
                report.deadline = deadline
                contents.report = report
                return report
            }
            contents.isDrained = true
            let report = DrainReport(started: now, deadline: deadline, running: contents.slots.running)
            contents.report = report
            return report
        }
    }

    func undrain(at now: Instant) {
        contents.withLock { contents in
            if contents.isDrained { contents.report?.undo(at: now) }
            contents.isDrained = false
        }
    }

    func isDead(_ isDead: Bool) { contents.withLock { $0.isDead = isDead } }
}
