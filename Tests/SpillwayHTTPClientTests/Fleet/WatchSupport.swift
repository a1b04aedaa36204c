#if HTTPClientSupport
import AsyncHTTPClient
import Spillway
import SpillwayHTTPClient
import Testing

/// Returns as soon as `condition` holds; the suite's time limit ends a wait for what never comes.
func until(_ condition: () -> Bool) async throws {
    while !condition() { try await SystemTime().sleep(for: .milliseconds(1)) }
}

/// A fleet that is being watched, and what the watch said.
struct Watching: Sendable {
    let fleet: Fleet
    let client: HTTPClient
    private let heard: Heard

    private final class Heard: Sendable {
        let events = Locked<[FleetWatch.Event]>([])
    }

    /// Watches `members` while `body` runs, and checks that nothing is left behind.
    static func run(
        _ members: [Member], health: ReplicaHealth.Configuration? = .quick, source: (any MemberSource)? = nil,
        _ change: (inout FleetWatch.Configuration) -> Void = { _ in }, _ body: (Watching) async throws -> Void
    ) async throws {
        let heard = Heard(), client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        let fleet = try Fleet(
            "fleet", .init { $0.health = health }, members: members, at: SystemTime().now)
        var configuration = FleetWatch.Configuration.quick
        configuration.observe = { event in heard.events.withLock { $0.append(event) } }
        change(&configuration)
        let watch = try FleetWatch(fleet, configuration, client: client, source: source)
        let result: Result<Void, any Error> = await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(Watching(fleet: fleet, client: client, heard: heard)))
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            do {
                try await group.waitForAll()
            } catch {
                Issue.record("the watch failed: \(error)")
            }
            return result
        }
        try await client.shutdown()
        try result.get()
    }

    func phase(of name: String) -> HealthPhase? { fleet.health(of: name)?.phase }

    func reason(of name: String) -> HealthReason? { fleet.health(of: name)?.status(at: SystemTime().now).reason }

    func load(of name: String) -> EngineLoad {
        fleet.standings(at: SystemTime().now).first { $0.member.name == name }?.load ?? EngineLoad()
    }

    /// How questions to members failed.
    func failures(_ question: FleetWatch.Question) -> [UpstreamError] {
        heard.events.withLock { events in
            events.compactMap {
                guard case .failed(question, _, let error) = $0 else { return nil }
                return error
            }
        }
    }

    /// Who was left out, each time that this was another.
    var leftOut: [[String]] {
        heard.events.withLock { events in
            events.compactMap {
                guard case .leftOut(let names) = $0 else { return nil }
                return names
            }
        }
    }

    /// How often the members were changed, and how often that was refused.
    var changes: (taken: Int, refused: Int) {
        heard.events.withLock { events in
            events.reduce(into: (0, 0)) { counts, event in
                switch event {
                case .members: counts.0 += 1
                case .membersFailed: counts.1 += 1
                case .failed, .leftOut: break
                }
            }
        }
    }
}

extension ReplicaHealth.Configuration {
    /// Probes one after the other, and gives each time enough.
    static var quick: Self {
        Self {
            $0.firstToken = .seconds(10)
            $0.probeLease = .seconds(20)
            $0.probeInterval = .milliseconds(10)
            $0.verifyInterval = .milliseconds(5)
            $0.maximumInterval = .milliseconds(20)
            $0.ramp = .zero
        }
    }

    /// Does not wait long for a token.
    static var impatient: Self {
        Self {
            $0 = .quick
            $0.firstToken = .milliseconds(400)
        }
    }
}

extension FleetWatch.Configuration {
    /// Asks one time after the other, and gives every page time enough.
    static var quick: Self {
        Self {
            $0.scrapes = .quick
            $0.deviceScrapes = .quick
            $0.memberInterval = .milliseconds(5)
            $0.attention = .milliseconds(5)
        }
    }
}

extension ScrapePace.Configuration {
    /// Reads a page every 10 ms or so.
    static var quick: Self {
        Self {
            $0.interval = .milliseconds(10)
            $0.timeout = .seconds(60)
            $0.longest = .milliseconds(20)
            $0.probeInterval = .milliseconds(20)
        }
    }
}
#endif
