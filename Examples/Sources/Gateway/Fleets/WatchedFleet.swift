import AsyncHTTPClient
import Logging
import Spillway
import SpillwayHTTPClient

/// A fleet, and what keeps it informed.
struct WatchedFleet: Sendable {
    let fleet: Fleet
    private let configuration: FleetWatch.Configuration
    /// Who knows its replicas; nil: they never change.
    private let roster: Roster?

    /// A watch of `fleet` that writes to `logger` what happens.
    init(_ fleet: Fleet, _ configuration: FleetWatch.Configuration, _ roster: Roster?, logger: Logger) {
        self.fleet = fleet
        self.roster = roster
        var configuration = configuration
        configuration.observe = { event in
            switch event {
            case .members(let changes): logger.notice("\(fleet.name): \(changes.line)")
            case .membersFailed(let error):
                roster?.refused("\(error)")
                logger.warning("\(fleet.name): the list of replicas: \(error)")
            case .failed(let question, let member, let error):
                let level = question == .probe ? Logger.Level.info : .debug
                logger.log(level: level, "\(fleet.name): \(question.rawValue) of \(member): \(error)")
            }
        }
        self.configuration = configuration
    }

    /// Keeps the fleet informed until the task is cancelled; nothing is under way any more when it returns.
    func run() async throws {
        // Of its own: a probe that waits until users' calls leave a connection would find a replica dead that is full.
        let http = HTTPClient(configuration: Gateway.httpConfiguration)
        let outcome: Result<Void, any Error>
        do {
            try await FleetWatch(fleet, configuration, client: http, source: roster).run()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        try outcome.get()
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
