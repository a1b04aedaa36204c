/// Where processes tell each other which of their breakers are open.
///
/// It counts in its own time, which may be any, and keeps these rules:
///
/// - A report takes the place of all that the process said of the board before.
/// - Each of its sightings is forgotten when its ``BreakerSighting/left`` is over, and after the report's life in any case: so
///   the word of a process that died does not last.
///
/// `SpillwayValkey` has one.
public protocol BreakerBoardStore: Sendable {
    /// Takes note of what a process sees, and answers what the others see, in one atomic step.
    ///
    /// It must end within a few seconds, by itself: a board waits for it even when it is cancelled.
    ///
    /// - Throws: Any error; then nobody knows whether the report was noted. The next one says it all again.
    func exchange(_ report: BreakerReport) async throws -> [BreakerSighting]
}

/// What one process says to the others.
public struct BreakerReport: Sendable, Hashable {
    /// The board's name, the same in all processes.
    public var board: String
    /// Who says it: a number that no other process has.
    public var process: UInt64
    /// How long it is to be believed.
    public var life: Duration
    /// The breakers that it sees open.
    public var open: [BreakerSighting]

    /// A report.
    public init(board: String, process: UInt64, life: Duration, open: [BreakerSighting]) {
        self.board = board
        self.process = process
        self.life = life
        self.open = open
    }
}

/// That a process sees a breaker open.
public struct BreakerSighting: Sendable, Hashable {
    /// The breaker's name, the same in all processes.
    public var breaker: String
    /// Who sees it.
    public var process: UInt64
    /// How long ago the trouble began: since then it was open, or half-open.
    public var since: Duration
    /// How much longer it is open.
    public var left: Duration

    /// A sighting.
    public init(breaker: String, process: UInt64, since: Duration, left: Duration) {
        self.breaker = breaker
        self.process = process
        self.since = since
        self.left = left
    }
}
