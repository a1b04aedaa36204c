#if HTTPClientSupport
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("The client of a watch", .timeLimit(.minutes(10)))
struct FleetClientTests {
    /// Opens streams at an engine through `client` that never end, one after the other, and keeps them while `body` runs.
    private func using(
        up count: Int, _ client: HTTPClient, at engine: Engine, _ body: () async throws -> Void
    ) async throws {
        engine.change { $0.gpus = .stream(["data"], .never) }
        var streams: [HTTPClientResponse] = []
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(engine.port)/gpus")
        while streams.count < count {
            do {
                streams.append(try await client.execute(request, deadline: .distantFuture))
            } catch let error as HTTPClientError {
                // On a busy machine that may take longer than the client waits.
                guard [.getConnectionFromPoolTimeout, .connectTimeout].contains(error) else { throw error }
            }
        }
        try await body()
        for stream in streams { #expect(stream.status == .ok) }
    }

    @Test("users' calls that use up the shared client leave a watch its own, which is gone with it")
    func own() async throws {
        let engine = try await Engine.start("engine")
        let fleet = try Fleet(
            "fleet", .init { $0.health = .impatient }, members: [engine.member()], at: SystemTime().now)
        let watch = try FleetWatch(fleet, .quick)
        // As many as it opens to one place.
        try await using(up: 8, .shared, at: engine) {
            // It makes one each time.
            for _ in 0..<2 {
                let probes = engine.count("/v1/chat/completions"), pages = engine.count("/metrics")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await watch.run() }
                    try await until {
                        engine.count("/v1/chat/completions") > probes + 5 && engine.count("/metrics") > pages + 5
                    }
                    try await until { fleet.health(of: "engine")?.phase == .ready }
                    group.cancelAll()
                    try await group.waitForAll()
                }
                try await until { engine.open == 8 }
            }
        }
        try await engine.stop()
    }

    @Test("a probe that gets no connection in a given client, as the client says, is nobody's failure")
    func given() async throws {
        let engine = try await Engine.start("engine")
        var configuration = HTTPClient.Configuration.underPolicy
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4
        // Shorter than what a token may take: else the client says only that the time was up.
        configuration.timeout.connect = .milliseconds(500)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let fleet = try Fleet("fleet", .init { $0.health = .quick }, members: [engine.member()], at: SystemTime().now)
        let errors = Locked<[UpstreamError]>([])
        var asked = FleetWatch.Configuration.quick
        asked.observe = { event in
            if case .failed(.probe, _, let error) = event { errors.withLock { $0.append(error) } }
        }
        let watch = try FleetWatch(fleet, asked, client: client)
        do {
            try await using(up: 4, client, at: engine) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await watch.run() }
                    try await until { errors.withLock { $0.count } > 2 }
                    for error in errors.withLock({ $0 }) {
                        #expect(error.underlying as? HTTPClientError == .getConnectionFromPoolTimeout)
                    }
                    #expect(fleet.health(of: "engine")?.status(at: SystemTime().now).missedProbes == 0)
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        try await engine.stop()
    }
}
#endif
