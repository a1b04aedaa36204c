extension StormFleet {
    /// Serves every tick from one queue, as the textbook does.
    ///
    /// Each request goes to a random eligible replica, and a failed one waits for the next tick.
    ///
    /// - Parameters:
    ///   - isEligible: Whether a replica gets calls at the start of a tick.
    ///   - staysEligible: Whether it gets more calls in this tick after one that succeeded or failed.
    func serve(
        isEligible: (_ replica: Int, _ tick: Int) -> Bool,
        staysEligible: (_ replica: Int, _ tick: Int, _ succeeded: Bool) -> Bool
    ) -> StormResult {
        var waiting = 0
        while let tick = nextTick() {
            var queue = settings.arrivals + waiting
            var failed = 0
            var eligible = (0..<settings.replicas).filter { isEligible($0, tick) }
            while queue > 0, !eligible.isEmpty {
                let place = pick(below: eligible.count)
                let replica = eligible[place]
                let succeeded = attempt(on: replica)
                queue -= 1
                if !succeeded { failed += 1 }
                let stays = staysEligible(replica, tick, succeeded)
                if !stays || slotsLeft(replica) == 0 { eligible.remove(at: place) }
            }
            waiting = min(failed + queue, settings.patience)
        }
        return result
    }
}
