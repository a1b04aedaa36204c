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
        // A header may say one without the other.
        if isNews(.waiting, load, at: place) { replicas[place].waitingThen = replicas[place].waiting }
        guard let running = load.running, isNews(.running, load, at: place) else { return }
        replicas[place].runningThen = replicas[place].calls - replicas[place].waiting
        let all = Double(running) + Double(load.waiting ?? 0)
        reported = reported * 0.99 + all
        own = own * 0.99 + min(all, Double(replicas[place].calls))
    }

    /// Whether the replica's load has now what `load` says of it.
    private func isNews(_ signal: EngineLoad.Signal, _ load: EngineLoad, at place: Int) -> Bool {
        load.said(signal) != nil && load.said(signal) == records[place].load.said(signal)
    }
}
