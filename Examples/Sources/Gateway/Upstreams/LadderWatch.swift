import Logging
import Spillway

/// Counts and writes down when a ladder leaves a tier for all calls, and when it comes back.
struct LadderWatch: Observer {
    let metrics: Metrics
    let log: TransitionLog

    /// A change of the tier at which calls begin.
    func changed(_ transition: Transition) {
        metrics.changed(transition)
        log.changed(transition)
    }
}
