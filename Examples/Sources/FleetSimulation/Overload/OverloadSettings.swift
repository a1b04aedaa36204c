import Spillway
import SpillwayTesting

/// A fleet of engines that is asked more than it can serve.
struct OverloadSettings: Sendable, Hashable {
    /// What each replica is.
    var engine = OverloadEngine.a100
    /// Engines, each behind a limit of its own.
    var replicas = 2
    /// Arrivals, in multiples of what the fleet can serve.
    var loads = [0.5, 0.8, 1, 1.5, 2, 3, 5]
    /// Seconds of a run, and how many of them at the beginning are not looked at: limits are found in them.
    var seconds = 480.0
    var warmUp = 120.0
    /// After how many seconds without a first token a caller gives up.
    var patience = 10.0
    /// The fixed limits of each engine that are tried.
    var fixed = [8, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 96]
    /// What an adaptive limit stays within.
    var range = 4...500

    /// Seconds that are looked at.
    var measured: Double { seconds - warmUp }
}

/// What a replica is, and what is expected of it.
enum OverloadEngine: String, Sendable, CaseIterable {
    /// An A100 that serves a model of 8B: compute runs out first, and tokens come slowly.
    case a100
    /// The same with a twelfth of the memory for keys and values: memory runs out, and calls queue inside the engine.
    case small
    /// An H200 that serves a model of 70B: few calls, and each of them long.
    case large

    /// What it is called in tables.
    var name: String {
        switch self {
        case .a100: "8B on an A100"
        case .small: "8B on an A100, 36,000 tokens of KV cache"
        case .large: "70B on an H200"
        }
    }

    /// The goal: the first token within so many seconds, and no fewer tokens a second from then on.
    var goal: (firstToken: Double, tokensPerSecond: Double) {
        switch self {
        case .a100, .small: (2, 20)
        case .large: (4, 10)
        }
    }

    func model() throws -> EngineModel.Configuration {
        let whole = try EngineModel.Configuration(
            gpu: self == .large ? .h200 : .a100, model: self == .large ? .llama70BFP8 : .llama8B)
        guard self == .small else { return whole }
        return try EngineModel.Configuration(
            kvBlocks: 2_250, stepOverhead: whole.stepOverhead, sequenceOverhead: whole.sequenceOverhead,
            computeTime: whole.computeTime, weightsReadTime: whole.weightsReadTime,
            contextReadTime: whole.contextReadTime)
    }
}
