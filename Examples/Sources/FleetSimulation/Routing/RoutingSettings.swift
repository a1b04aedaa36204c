import Spillway
import SpillwayTesting

/// A fleet, how much is asked of it, and by how many clients.
struct RoutingSettings: Sendable {
    var replicas = 8
    /// The share of what the fleet can serve under round robin when it never has nothing to do.
    var load = 0.9
    /// Clients that choose by themselves, each from what it has seen.
    var clients = 1
    /// Seconds between two reports of an engine's load.
    var staleness = 0.2
    /// An answer is good if its first token comes within so many seconds, and the others with no more than so many between them.
    var goal = (first: 5.0, between: 0.1)

    func engine() throws -> EngineModel.Configuration {
        try EngineModel.Configuration(
            gpu: .h100, model: .llama8B, maxWaiting: 1_000_000, tokensPerChunk: 4_096)
    }

    /// What people call the engine.
    let engineName = "Llama 3.1 8B on one H100 each"
}
