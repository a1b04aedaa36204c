import AsyncHTTPClient
import Logging
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

    /// What keeps `fleet` informed; `served` and `key` are as in ``watching(served:key:)``.
    func watch(
        _ fleet: Fleet, served: String?, key: String?, http: HTTPClient, logger: Logger
    ) throws(ConfigurationError) -> FleetWatch {
        var configuration = watching(served: served, key: key)
        configuration.observe = { event in
            switch event {
            case .members(let changes): logger.notice("\(fleet.name): \(changes.line)")
            case .membersFailed(let error): logger.warning("\(fleet.name): the list of replicas: \(error)")
            case .failed(let question, let member, let error):
                let level = question == .probe ? Logger.Level.info : .debug
                logger.log(level: level, "\(fleet.name): \(question.rawValue) of \(member): \(error)")
            }
        }
        return try FleetWatch(fleet, configuration, client: http, source: try followed())
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
