/// What happens to the fleet; the textbook's figures unless said otherwise.
struct StormSettings: Sendable, Hashable {
    var ticks = 4_000
    var replicas = 8
    /// Calls that one replica takes in one tick, whether they succeed or fail.
    var slotsPerReplica = 10
    /// New requests in each tick.
    var arrivals = 72
    /// Replicas that fail every call in the outage: the first ones.
    var sickReplicas = 4
    /// The share of calls to healthy replicas that succeed.
    var success = 0.98

    /// The most requests that wait from one tick to the next; the rest give up.
    var patience: Int { arrivals * 4 }
    /// By how many ticks the outage begins later than the middle third.
    var beginsLater = 0
    /// By how many ticks the outage ends later than the middle third.
    var endsLater = 0

    /// The ticks in which replicas are sick.
    var outage: Range<Int> { ticks / 3 + beginsLater..<2 * ticks / 3 + endsLater }
    /// Failures without which a rule of "40 % of the last 25 calls" cannot know that a replica is sick.
    var detection: Int { sickReplicas * 10 }

    /// By how many ticks ``varied(by:)`` moves an end of the outage at most: 30, less in a short run.
    var variation: Int { min(30, ticks / 120) }

    /// The same with an outage that begins and ends a little earlier or later, as the seed says.
    ///
    /// Else where it ends between two probes would be the same for all seeds, and a policy could be lucky in all of them.
    func varied(by seed: UInt64) -> StormSettings {
        var random = SlotDice(seed: ~seed), settings = self
        settings.beginsLater = random.pick(below: 2 * variation + 1) - variation
        settings.endsLater = random.pick(below: 2 * variation + 1) - variation
        return settings
    }
}
