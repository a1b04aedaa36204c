import Logging
import Spillway
import SpillwayHTTPClient

extension Configuration.Replicas {
    /// Who knows the replicas from now on; nil: they never change.
    func followed() throws(ConfigurationError) -> Roster? {
        switch source {
        case .list: nil
        case .file(let path): Roster(FileMembers(path))
        case .dns(let host, let port, let family):
            Roster(try DNSMembers(host, port: port, family: family, template: template))
        }
    }

    /// How the replicas are watched.
    ///
    /// - Parameters:
    ///   - served: A model that the fleet is asked for, which probes ask for where the file names none.
    ///   - key: The replicas' own; nil: none.
    func watching(served: String?, key: String?) -> FleetWatch.Configuration {
        var own = watch
        own.model = watch.model ?? served
        own.apiKey = key
        return own
    }
}

extension Upstream {
    /// Looks up the replicas of a fleet that has none yet, so that the first calls find them; without them it begins empty.
    ///
    /// Not for longer than this: other upstreams may answer, and the watch goes on to ask.
    func muster(within limit: Duration = .seconds(2), logger: Logger) async {
        guard let fleet, let roster else { return }
        await roster.fill(fleet, within: limit)
        guard fleet.members.isEmpty, let problem = roster.problem else { return }
        logger.warning("\(name): has no replica yet: \(problem)")
    }
}
