internal import SpillwayCore

/// What engines say.
extension FleetState.Books {
    mutating func report(_ load: EngineLoad, from place: Int) {
        let before = records[place].load
        records[place].load.update(load)
        replicas[place].set(records[place], configuration)
        if records[place].load.said(.kvUse) != before.said(.kvUse) {
            replicas[place].heldThen = replicas[place].heldRunning
        }
        compare(before, at: place)
        // A header may say one without the other. Own calls without a first token wait there, or run already.
        let waiting = min(replicas[place].waiting, load.waiting ?? 0)
        if isNews(.waiting, load, at: place) { replicas[place].waitingThen = waiting }
        guard let running = load.running, isNews(.running, load, at: place) else { return }
        replicas[place].runningThen = replicas[place].calls - waiting
        let all = Double(running) + Double(load.waiting ?? 0)
        reported = reported * 0.99 + all
        own = own * 0.99 + min(all, Double(replicas[place].calls))
    }

    /// Whether its engine works for others, as it said of late.
    func hasOthers(_ place: Int, at now: Instant) -> Bool {
        let replica = replicas[place]
        guard let age = records[place].load.age(of: .running, at: now), age < .seconds(10), replica.phase != .dead
        else { return false }
        return max(0, replica.reportedWaiting) + replica.reportedRunning > replica.runningThen + replica.waitingThen
    }

    /// Whether the replica's load has now what `load` says of it.
    private func isNews(_ signal: EngineLoad.Signal, _ load: EngineLoad, at place: Int) -> Bool {
        load.said(signal) != nil && load.said(signal) == records[place].load.said(signal)
    }
}
