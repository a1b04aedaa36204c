import Logging
import Spillway

/// Writes every change of a breaker to the log.
struct TransitionLog: Observer {
    let logger: Logger

    /// Writes one line.
    func changed(_ transition: Transition) {
        logger.notice("\(transition)")
    }
}
