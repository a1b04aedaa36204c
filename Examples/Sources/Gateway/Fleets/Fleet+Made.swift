import Spillway
import SpillwayHTTPClient

extension Configuration.Replicas {
    /// Who knows the replicas from now on; nil: they never change.
    func followed() throws(ConfigurationError) -> (any MemberSource)? {
        switch source {
        case .list: nil
        case .file(let path): FileMembers(path)
        case .dns(let host, let port):
            try DNSMembers(host, port: port, template: Member(host, address: "\(host):\(port)", model: model))
        }
    }

    /// The replicas to begin with, once a name is resolved.
    func present() async throws -> [Member] {
        members.isEmpty ? try await followed()?.members() ?? [] : members
    }

    /// How the replicas are watched.
    ///
    /// - Parameters:
    ///   - served: A model that the fleet is asked for, which probes ask for where the file names none.
    ///   - key: The replicas' own; nil: none.
    func watching(served: String?, key: String?) -> FleetWatch.Configuration {
        FleetWatch.Configuration { own in
            own.model = model ?? served
            own.apiKey = key
            own.scrapes.interval = scrape
            own.scrapes.longest = max(own.scrapes.longest, scrape)
            own.scrapes.probeInterval = max(own.scrapes.probeInterval, own.scrapes.longest)
            own.memberInterval = follow
        }
    }
}
