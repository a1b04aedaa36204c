import Logging
import Spillway

/// Writes every change of state to the log: of a breaker, a replica, a ladder or the ledger.
struct TransitionLog: Observer {
    let logger: Logger
    /// Whose replicas it is told of: those of two fleets may have the same name.
    var fleet: String?

    /// Writes one line.
    func changed(_ transition: Transition) {
        logger.notice("\(fleet.map { "\($0): " } ?? "")\(transition)")
    }
}
