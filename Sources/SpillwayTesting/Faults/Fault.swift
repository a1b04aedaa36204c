internal import SpillwayCore

/// Something that goes wrong in a simulation, where, when and for how long.
///
/// Times count from the start of the fleet that plays it, on the simulation's clock, in whole nanoseconds.
public struct Fault: Sendable, Hashable {
    /// Where a fault strikes.
    public enum Place: Sendable, Hashable {
        /// The replica with this number, from 0.
        case replica(Int)
        /// All replicas of the zone with this number, from 0.
        case zone(Int)
    }

    /// What goes wrong.
    ///
    /// Made by the functions of ``Fault``, which refuse values that cannot work.
    public enum Kind: Sendable, Hashable {
        /// Connections are refused, and what was under way is lost.
        case crash
        /// Nothing is answered any more, and no connection breaks.
        case hang
        /// Answers begin this much later.
        case latency(Duration)
        /// Everything takes this many times as long.
        case slowdown(Double)
        /// This share of requests fails with a server error.
        case errors(Double)
        /// Requests are refused for the caller's quota, with this hint when to come back.
        case rateLimit(retryAfter: Duration?)
        /// This share of the GPU's memory for keys and values is left.
        case memory(Double)
        /// The clock jumps by this much, back when it is negative.
        case clockJump(Duration)
        /// The call with this number is cancelled just before it goes on for the n-th time.
        case cancellation(call: Int, atAwait: Int)
    }

    /// What goes wrong.
    public internal(set) var kind: Kind
    /// Where; nil for the clock and for calls.
    public let place: Place?
    /// When it begins.
    public let start: Duration
    /// How long it lasts; zero for what happens at once.
    public internal(set) var length: Duration

    init(
        _ kind: Kind, _ place: Place?, _ start: Duration, _ length: Duration
    ) throws(ConfigurationError) {
        let check = Validation("Fault")
        if case .replica(let number)? = place { try check.count(number, "replica", in: 0...9_999) }
        if case .zone(let number)? = place { try check.count(number, "zone", in: 0...9_999) }
        try check.duration(start, "start")
        try check.duration(length, "length")
        self.kind = kind
        self.place = place
        self.start = .nanoseconds(start.clampedNanoseconds)
        self.length = .nanoseconds(length.clampedNanoseconds)
    }

    /// When it is over.
    public var end: Duration { start + length }
}
