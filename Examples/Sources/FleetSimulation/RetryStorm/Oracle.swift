/// Knows at once which replicas are sick, and uses every healthy slot: what no policy can do better.
///
/// Its goodput is the seed's ceiling; its wasted calls are the failures that come by themselves.
struct Oracle: StormPolicy {
    let name = "oracle"

    func run(_ fleet: StormFleet) -> StormResult {
        fleet.serve(isEligible: { !fleet.isSick($0, at: $1) }, staysEligible: { _, _, _ in true })
    }
}
