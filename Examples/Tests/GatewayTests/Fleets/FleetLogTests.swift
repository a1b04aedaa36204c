import AsyncHTTPClient
import Logging
import Spillway
import SpillwayHTTPClient
import Synchronization
import Testing

@testable import Gateway

/// What the gateway's log says of its fleets.
@Suite(.timeLimit(.minutes(10))) struct FleetLogTests {
    /// A log that is kept.
    private final class Kept: Sendable {
        private let said = Mutex<[String]>([])

        var lines: [String] { said.withLock { $0 } }
        var logger: Logger { Logger(label: "test") { _ in Handler(kept: self) } }

        private struct Handler: LogHandler {
            let kept: Kept
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.info

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) { kept.said.withLock { $0.append("\(event.message)") } }
        }
    }

    @Test func `replicas of two fleets that have one name are told apart`() async throws {
        let yaml = """
            upstreams:
              near: { fleet: { members: ["gpu-1 127.0.0.1:1"], health: {} } }
              far: { fleet: { members: ["gpu-1 127.0.0.1:1"], health: {} } }
            models:
              chat: { targets: [{ upstream: near, model: m }, { upstream: far, model: m }] }
            """
        let kept = Kept()
        let gateway = try await Gateway(
            Configuration(yaml: yaml, file: "test.yaml"), http: .shared, logger: kept.logger)
        for upstream in gateway.upstreams { upstream.fleet?.health(of: "gpu-1")?.declareDead(at: SystemTime().now) }
        #expect(kept.lines == ["near: gpu-1: starting → dead", "far: gpu-1: starting → dead"])
    }

    @Test func `replicas for which a fleet has no place are named once`() async throws {
        let kept = Kept(), members = (0..<300).map { Member("m\(1_000 + $0)", address: "127.0.0.1:1") }
        let fleet = try Fleet("own", members: Array(members.prefix(1)), at: SystemTime().now)
        let configuration = FleetWatch.Configuration { $0.memberInterval = .milliseconds(1) }
        let asked = Mutex(0)
        let source = TextMembers {
            asked.withLock { $0 += 1 }
            return members.map { "\($0.name) \($0.address)\n" }.joined()
        }
        let watch = try FleetWatch(fleet, configuration, Roster(source), logger: kept.logger)
        let watching = Task { try await watch.run() }
        try await until { asked.withLock { $0 } > 10 }
        watching.cancel()
        _ = await watching.result
        let told = kept.lines.filter { $0.hasPrefix("own: no place for") }
        let named = (1_256..<1_266).map { "m\($0)" }.joined(separator: " ")
        #expect(told == ["own: no place for 44 replicas of the list: \(named) …"])
        #expect(fleet.members.count == Fleet.capacity)
    }
}
