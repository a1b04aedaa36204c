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
        var waiting = 0
        while fleet.nextTick() != nil {
            var old = waiting
            var new = fleet.settings.arrivals
            var failed = 0
            var eligible = Array(0..<fleet.settings.replicas)
            while old + new > 0, let first = choose(from: eligible, fleet) {
                let isHedged = old > 0
                if isHedged { old -= 1 } else { new -= 1 }
                var copies = [first]
                if isHedged, let second = choose(from: eligible.filter { $0 != first }, fleet) { copies.append(second) }
                let succeeded = copies.count { fleet.attempt(on: $0) }
                if succeeded == 2 { fleet.discardSuccess() }
                if succeeded == 0 { failed += 1 }
                eligible.removeAll { copies.contains($0) && fleet.slotsLeft($0) == 0 }
            }
            waiting = min(failed + old + new, fleet.settings.patience)
        }
        return fleet.result
    }

    private func choose(from replicas: [Int], _ fleet: StormFleet) -> Int? {
        replicas.isEmpty ? nil : replicas[fleet.pick(below: replicas.count)]
    }
}
