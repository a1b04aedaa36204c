import ArgumentParser
import SpillwayCore
import SpillwayTesting

/// The fleet's size, speed and seed, as given on the command line.
struct FleetOptions: ParsableArguments, Sendable {
    @Option(help: "How many replicas to run.")
    var replicas = 8

    @Option(help: "The control port; the replicas take the ports after it. 0: any free ports.")
    var port = 9100

    @Option(help: "How many times faster than real time the engines run.")
    var speed = 10.0

    @Option(help: "Seed of the generated tokens and of the faults' dice.")
    var seed: UInt64 = 1

    @Option(help: "Requests in one engine's batch.")
    var slots = 16

    @Option(help: "Prompt tokens that one engine reads per simulated second, for all its requests together.")
    var prefillRate = 20_000.0

    @Option(help: "Tokens per simulated second of a request that runs alone; half of it when all slots are taken.")
    var decodeRate = 60.0

    @Option(help: "Tokens that one engine computes in a step; longer prompts are read in pieces.")
    var tokenBudget = 512

    @Option(help: "KV cache blocks of one engine; with too few, the newest requests are preempted.")
    var kvBlocks = 4096

    @Option(help: "Tokens per KV cache block.")
    var blockSize = 16

    @Option(help: "Most tokens per content chunk of a stream, after the first token.")
    var tokensPerChunk = 8

    @Option(name: .customLong("model"), help: "A model's name; given again, one more model that every replica serves.")
    var models = ["fake-7b"]

    @Option(help: "Requests that may wait for one engine.")
    var maxQueue = 256

    @Option(help: "Most tokens of prompt and answer together.")
    var contextLimit = 16384

    @Option(help: "Requests that a replica answers in a window of real time, with OpenAI's headers; more get 429.")
    var requestLimit: Int?

    @Option(help: "Tokens of prompt and answer that a replica takes in a window of real time.")
    var tokenLimit: Int?

    @Option(help: "Seconds of real time in which the limits fill.")
    var limitWindow = 60.0

    /// Throws a `ValidationError` that names the first flag whose value makes no fleet.
    func validate() throws {
        try Self.check("--replicas", replicas, in: 1...1000)
        try Self.check("--port", port, in: 0...(65535 - replicas))
        guard speed > 0, speed.isFinite else { throw ValidationError("--speed \(speed): must be a number above 0") }
        for (flag, rate) in [("--prefill-rate", prefillRate), ("--decode-rate", decodeRate)] {
            guard (0.001...1e6).contains(rate) else {
                throw ValidationError("\(flag) \(rate): must be a number from 0.001 to 1000000")
            }
        }
        try Self.check("--slots", slots, in: 1...65_536)
        try Self.check("--token-budget", tokenBudget, in: slots...1_000_000)
        try Self.check("--kv-blocks", kvBlocks, in: 1...10_000_000)
        try Self.check("--block-size", blockSize, in: 1...65_536)
        try Self.check("--tokens-per-chunk", tokensPerChunk, in: 1...65_536)
        try Self.check("--max-queue", maxQueue, in: 1...1_000_000)
        // A request that no empty cache can hold would never run.
        try Self.check("--context-limit", contextLimit, in: 1...(kvBlocks * blockSize))
        try Self.check("--request-limit", requestLimit ?? 1, in: 1...1_000_000_000)
        try Self.check("--token-limit", tokenLimit ?? 1, in: 1...1_000_000_000)
        guard (0.001...86_400).contains(limitWindow) else {
            throw ValidationError("--limit-window \(limitWindow): must be a number from 0.001 to 86400")
        }
        guard !models.contains("") else { throw ValidationError("--model \"\": must not be empty") }
    }

    /// What each engine is.
    ///
    /// A step reads the weights, which takes what one token takes a lone request; each request adds a share, so that a full
    /// batch is half as fast. That is no particular GPU: a small fleet that a demo can saturate.
    func engine() throws(ConfigurationError) -> EngineModel.Configuration {
        try EngineModel.Configuration(
            kvBlocks: kvBlocks, blockSize: blockSize, maxRunning: slots, maxWaiting: maxQueue,
            contextLimit: contextLimit, tokenBudget: tokenBudget, tokensPerChunk: tokensPerChunk,
            sequenceOverhead: .seconds(1 / decodeRate / Double(slots)), computeTime: .seconds(1 / prefillRate),
            weightsReadTime: .seconds(1 / decodeRate))
    }

    private static func check(_ flag: String, _ value: Int, in range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw ValidationError("\(flag) \(value): must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
