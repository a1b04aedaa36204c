import Logging
import Spillway
import SpillwayHTTPClient

extension FleetWatch {
    /// A watch of `fleet`, over connections of its own, that writes to `logger` what happens.
    convenience init(
        _ fleet: Fleet, _ configuration: FleetWatch.Configuration, _ roster: Roster?, logger: Logger
    ) throws(ConfigurationError) {
        var configuration = configuration
        configuration.observe = { event in
            switch event {
            case .members(let changes): logger.notice("\(fleet.name): \(changes.line)")
            case .leftOut([]): logger.notice("\(fleet.name): there is a place for every replica of the list again")
            case .leftOut(let names):
                let shown = names.prefix(10).joined(separator: " "), more = names.count > 10 ? " …" : ""
                logger.warning("\(fleet.name): no place for \(names.count) replicas of the list: \(shown)\(more)")
            case .membersFailed(let error):
                roster?.refused("\(error)")
                logger.warning("\(fleet.name): the list of replicas: \(error)")
            case .failed(let question, let member, let error):
                let level = question == .probe ? Logger.Level.info : .debug
                logger.log(level: level, "\(fleet.name): \(question.rawValue) of \(member): \(error)")
            }
        }
        try self.init(fleet, configuration, source: roster)
    }
}

extension MemberChanges {
    /// Who came and went.
    fileprivate var line: String {
        let parts = [
            ("added", added.map(\.name)), ("removed", removed.map(\.name)), ("changed", changed.map(\.to.name)),
        ]
        return parts.filter { !$0.1.isEmpty }.map { "\($0.0) \($0.1.joined(separator: " "))" }.joined(separator: ", ")
    }
}
