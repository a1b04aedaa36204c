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
        guard let at = load.said(.running) ?? load.said(.waiting) ?? load.said(.kvUse),
            before.said(.running).map({ at >= $0 }) ?? true
        else { return }
        replicas[place].callsThen = replicas[place].calls
        replicas[place].waitingThen = replicas[place].waiting
        guard let running = load.running else { return }
        let all = Double(running) + Double(load.waiting ?? 0)
        reported = reported * 0.99 + all
        own = own * 0.99 + min(all, Double(replicas[place].calls))
    }
}
