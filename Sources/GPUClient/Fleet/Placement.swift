public import SpillwayCore

/// A call's place at a replica, to be settled exactly once with how the call ended.
///
/// A placement that is dropped settles itself as neutral.
public struct Placement: ~Copyable, Sendable {
    /// Where the call goes.
    public let member: Member
    /// Tokens of the prompt that the replica is thought to have computed already.
    public let cachedTokens: Int
    /// How long until the first token, as predicted; nil: nothing has been learnt of the fleet yet.
    public let predicted: Duration?

    let state: FleetState
    let ticket: FleetState.Ticket.ID
    /// Whether it may be handed over: without health checks nobody ever is.
    package let hasHealth: Bool

    // Does nothing when it was settled: no two tickets have one number.
    deinit { state.end(ticket, .neutral(.cancelled), usage: nil, at: nil) }

    /// The first token has come.
    ///
    /// Say so as soon as it has: the tokens that were computed for it are in nobody's way any more.
    public func firstToken(at now: Instant) { state.firstToken(ticket, at: now) }

    /// The first token has not come in time: the call hangs.
    ///
    /// One such call takes a replica with health checks out of use until a probe has shown that it is well.
    public func hung(at now: Instant) { state.hung(ticket, at: now) }

    /// Has `body` run, once, when the call is to go on elsewhere; see ``Fleet/handOver(at:)``.
    ///
    /// Never for a call that may not be made again. It must not hold the placement.
    public func whenHandedOver(_ body: @escaping @Sendable () -> Void) { state.whenHandedOver(ticket, body) }

    /// The call has ended.
    ///
    /// - Parameters:
    ///   - outcome: How.
    ///   - usage: What was used, as the engine says. Where it had kept less of the prompt than was thought, the prompt counts as
    ///     computed now. How much an engine finds on the whole is learnt from the counters on its page (``Fleet/report(_:from:)``).
    ///   - now: When.
    public consuming func settle(_ outcome: Outcome, usage: Usage? = nil, at now: Instant) {
        state.end(ticket, outcome, usage: usage, at: now)
    }
}
