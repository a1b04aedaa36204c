/// The textbook's naive retry with a queue in which requests keep their order, and copies of those that wait.
///
/// Those that wait are served before new ones, the oldest first. When more wait than have patience, the newest give up.
struct RequestQueue: Sendable {
    /// A request that has come to its end.
    struct Request: Sendable, Hashable {
        /// The tick in which it arrived.
        let arrived: Int
        /// The tick in which it was served; nil: it gave up.
        let served: Int?
    }

    /// On how many different replicas a request is tried at once, after its first tick: 1 or 2.
    let copies: Int

    /// Serves all ticks of a fresh fleet; those that wait at the end are left out.
    func serve(_ fleet: StormFleet) -> [Request] {
        var ended: [Request] = []
        var queue: [Int] = []
        while let tick = fleet.nextTick() {
            queue += Array(repeating: tick, count: fleet.settings.arrivals)
            var failed: [Int] = []
            var taken = 0
            var eligible = Array(0..<fleet.settings.replicas)
            while taken < queue.count, let first = choose(from: eligible, fleet) {
                let arrived = queue[taken]
                taken += 1
                var replicas = [first]
                if copies > 1, arrived < tick, let second = choose(from: eligible.filter { $0 != first }, fleet) {
                    replicas.append(second)
                }
                let succeeded = replicas.count { fleet.attempt(on: $0) }
                // When both succeed, one of them served nobody.
                if succeeded == 2 { fleet.discardSuccess() }
                if succeeded == 0 {
                    failed.append(arrived)
                } else {
                    ended.append(Request(arrived: arrived, served: tick))
                }
                eligible.removeAll { replicas.contains($0) && fleet.slotsLeft($0) == 0 }
            }
            queue = failed + queue[taken...]
            let patient = min(queue.count, fleet.settings.patience)
            ended += queue[patient...].map { Request(arrived: $0, served: nil) }
            queue.removeSubrange(patient...)
        }
        return ended
    }

    private func choose(from replicas: [Int], _ fleet: StormFleet) -> Int? {
        replicas.isEmpty ? nil : replicas[fleet.pick(below: replicas.count)]
    }
}
