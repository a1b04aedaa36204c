public import SpillwayCore

/// What an engine said of its load, each value with the instant at which it was said.
///
/// Scrapes and headers mix: ``update(_:)`` keeps of each value what is newest. What was never said is nil.
public struct EngineLoad: Sendable, Hashable {
    /// One of the values.
    public enum Signal: Int, Sendable, Hashable, CaseIterable {
        case waiting, running, kvUse, blockSize, blocks, prefixQueries, prefixHits, hitRate, preemptions
    }

    private var waitingSaid: Said<Int>?
    private var runningSaid: Said<Int>?
    private var kvUseSaid: Said<Double>?
    private var blockSizeSaid: Said<Int>?
    private var blocksSaid: Said<Int>?
    private var queriesSaid: Said<Int64>?
    private var hitsSaid: Said<Int64>?
    private var hitRateSaid: Said<Double>?
    private var preemptionsSaid: Said<Int64>?

    /// Requests that wait in the engine's queue.
    public var waiting: Int? { waitingSaid?.value }
    /// Requests that the engine works on.
    public var running: Int? { runningSaid?.value }
    /// The share of the memory for keys and values that is used, from 0 to 1.
    public var kvUse: Double? { kvUseSaid?.value }
    /// Tokens in one block of keys and values.
    public var blockSize: Int? { blockSizeSaid?.value }
    /// Blocks of keys and values that there are.
    public var blocks: Int? { blocksSaid?.value }
    /// Tokens that were looked up in the prefix cache since the engine began.
    public var prefixQueries: Int64? { queriesSaid?.value }
    /// Tokens that were found there.
    public var prefixHits: Int64? { hitsSaid?.value }
    /// The share of tokens found there, from 0 to 1, of engines that tell the share itself.
    public var hitRate: Double? { hitRateSaid?.value }
    /// Requests that lost their blocks to others since the engine began.
    public var preemptions: Int64? { preemptionsSaid?.value }

    /// Nothing said yet.
    public init() {}

    /// What was said at one instant; nothing by default.
    ///
    /// Values that cannot be (below 0, a share above 1, a block size of 0 or above a million, more than a billion requests or 10¹²
    /// blocks) are left out.
    public init(
        at instant: Instant, waiting: Int? = nil, running: Int? = nil, kvUse: Double? = nil, blockSize: Int? = nil,
        blocks: Int? = nil, prefixQueries: Int64? = nil, prefixHits: Int64? = nil, hitRate: Double? = nil,
        preemptions: Int64? = nil
    ) {
        waitingSaid = Said(waiting, from: 0, through: 1_000_000_000, at: instant)
        runningSaid = Said(running, from: 0, through: 1_000_000_000, at: instant)
        kvUseSaid = Said(kvUse, from: 0, through: 1, at: instant)
        blockSizeSaid = Said(blockSize, from: 1, through: 1_000_000, at: instant)
        blocksSaid = Said(blocks, from: 0, through: 1_000_000_000_000, at: instant)
        queriesSaid = Said(prefixQueries, from: 0, at: instant)
        hitsSaid = Said(prefixHits, from: 0, at: instant)
        hitRateSaid = Said(hitRate, from: 0, through: 1, at: instant)
        preemptionsSaid = Said(preemptions, from: 0, at: instant)
    }

    /// Whether nothing was said.
    public var isEmpty: Bool { self == EngineLoad() }

    /// When this was said; nil when it never was.
    public func said(_ signal: Signal) -> Instant? {
        switch signal {
        case .waiting: waitingSaid?.at
        case .running: runningSaid?.at
        case .kvUse: kvUseSaid?.at
        case .blockSize: blockSizeSaid?.at
        case .blocks: blocksSaid?.at
        case .prefixQueries: queriesSaid?.at
        case .prefixHits: hitsSaid?.at
        case .hitRate: hitRateSaid?.at
        case .preemptions: preemptionsSaid?.at
        }
    }

    /// How old this is at `now`, not below zero; nil when it never was said.
    public func age(of signal: Signal, at now: Instant) -> Duration? {
        said(signal).map { max(.zero, $0.duration(to: now)) }
    }

    /// Takes from `other` every value that is not older than what is here.
    ///
    /// What `other` lacks stays, with its age.
    public mutating func update(_ other: EngineLoad) {
        waitingSaid = Said.newer(waitingSaid, other.waitingSaid)
        runningSaid = Said.newer(runningSaid, other.runningSaid)
        kvUseSaid = Said.newer(kvUseSaid, other.kvUseSaid)
        blockSizeSaid = Said.newer(blockSizeSaid, other.blockSizeSaid)
        blocksSaid = Said.newer(blocksSaid, other.blocksSaid)
        queriesSaid = Said.newer(queriesSaid, other.queriesSaid)
        hitsSaid = Said.newer(hitsSaid, other.hitsSaid)
        hitRateSaid = Said.newer(hitRateSaid, other.hitRateSaid)
        preemptionsSaid = Said.newer(preemptionsSaid, other.preemptionsSaid)
    }

    /// Blocks of keys and values that are not used; nil unless the engine said how many there are and how full it is.
    public var freeBlocks: Int? {
        guard let blocks, let kvUse else { return nil }
        return blocks - min(blocks, Int((Double(blocks) * kvUse).rounded(.up)))
    }

    /// The share of prompt tokens that came from the prefix cache since `older` was said, from 0 to 1.
    ///
    /// Nil when nothing was looked up since, when either lacks a counter, and when the engine began anew between.
    public func reuse(since older: EngineLoad) -> Double? {
        guard let queries = prefixQueries, let before = older.prefixQueries, let hits = prefixHits,
            let hitsBefore = older.prefixHits, queries > before, hits >= hitsBefore
        else { return nil }
        return min(1, Double(hits - hitsBefore) / Double(queries - before))
    }
}

/// A value, and when it was said.
private struct Said<Value: Comparable & Hashable & Sendable>: Hashable, Sendable {
    let value: Value
    let at: Instant

    /// Nil for no value, and for one that is out of range.
    init?(_ value: Value?, from least: Value, through most: Value? = nil, at: Instant) {
        guard let value, value >= least else { return nil }
        if let most, value > most { return nil }
        self.value = value
        self.at = at
    }

    /// Of two that were said at once, the second.
    static func newer(_ first: Self?, _ second: Self?) -> Self? {
        guard let first, let second else { return first ?? second }
        return second.at >= first.at ? second : first
    }
}
