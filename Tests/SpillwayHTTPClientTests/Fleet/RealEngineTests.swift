#if HTTPClientSupport
#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Spillway
import SpillwayHTTPClient
import Testing

/// Against a server that somebody has started; docs/engines.md says how.
private let engine = ProcessInfo.processInfo.environment["SPILLWAY_ENGINE"]

@Suite("A watch of a real engine", .enabled(if: engine != nil), .timeLimit(.minutes(5)))
struct RealEngineTests {
    @Test("it tells its load, makes a token for a probe, and is ready")
    func watched() async throws {
        let address = try #require(engine)
        let health = ReplicaHealth.Configuration {
            $0 = .quick
            // The first token of a model that has just been loaded, on a machine without a GPU.
            $0.firstToken = .seconds(60)
            $0.probeLease = .seconds(120)
        }
        let model = ProcessInfo.processInfo.environment["SPILLWAY_ENGINE_MODEL"]
        try await Watching.run([Member("engine", address: address, model: model)], health: health) { watching in
            try await until { !watching.load(of: "engine").isEmpty }
            try await until { watching.phase(of: "engine") == .ready }
            let load = watching.load(of: "engine")
            #expect(load.running != nil && load.waiting != nil)
            print("load of \(address): \(load)")
            print("what failed meanwhile: \(watching.failures(.metrics) + watching.failures(.probe))")
        }
    }
}
#endif
