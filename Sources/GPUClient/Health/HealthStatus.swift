public import SpillwayCore

/// All there is to say of a replica's health at a time.
public struct HealthStatus: Sendable, Hashable {
    /// The replica's name.
    public let replica: String
    /// What it may be used for.
    public let phase: HealthPhase
    /// Why it is in its phase.
    public let reason: HealthReason
    /// Since when.
    public let since: Instant
    /// The part of its share of calls that it gets, from 0 to 1.
    public let share: Double
    /// Calls in a row that failed, when one failed last; 0 once one has gone well.
    public let failures: Int
    /// Probes in a row that made no token, in this phase.
    public let missedProbes: Int
    /// Good probes in a row after which it is ready.
    public let neededProbes: Int
    /// What keeps it out of use.
    public let vetoes: [HealthVeto]
    /// When the next probe is due, or the one that is under way is lost.
    public let nextProbe: Instant
    /// How many streams run on it.
    public let streams: Int
    /// What has come of draining it; nil: it is not drained, and was not.
    public let drain: DrainReport?

    init(_ name: String, _ machine: HealthMachine, share: Double, streams: StreamRegistry) {
        replica = name
        phase = machine.phase
        reason = machine.reason
        since = Instant(nanoseconds: machine.changedAt)
        self.share = share
        failures = machine.row
        missedProbes = machine.misses
        neededProbes = machine.neededProbes
        vetoes = machine.vetoes
        nextProbe = Instant(nanoseconds: machine.nextProbe)
        self.streams = streams.running
        drain = streams.drainReport
    }
}
