/// Naive retry that hedges: what is unserved after one tick goes to two different replicas, and either may serve it.
///
/// Those that wait are served before new ones. Both copies take a slot; when both succeed, one of them served nobody and
/// counts as wasted. When only one replica has a slot left there is only one copy.
///
/// With slots to spare, a second copy saves the few that failed another tick. In the outage everybody waits and every
/// request takes two slots, so the fleet serves less than without hedging; and it stays so when all replicas are well
/// again, because 80 slots serve 40 pairs a tick and 72 requests arrive (a metastable failure: Bronson et al., *HotOS*
/// 2021).
struct HedgedRetry: StormPolicy {
    let name = "hedged"

    func run(_ fleet: StormFleet) -> StormResult {
        _ = RequestQueue(copies: 2).serve(fleet)
        return fleet.result
    }
}
