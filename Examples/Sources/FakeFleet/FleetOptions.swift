import ArgumentParser

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

    @Option(help: "Requests that one engine runs at once.")
    var slots = 16

    @Option(help: "Prompt tokens per simulated second.")
    var prefillRate = 6000.0

    @Option(help: "Generated tokens per simulated second of a request that runs alone.")
    var decodeRate = 60.0

    @Option(help: "KV cache blocks of one engine.")
    var kvBlocks = 4096

    @Option(help: "Tokens per KV cache block.")
    var blockSize = 16

    @Option(help: "Tokens per content chunk of a stream.")
    var tokensPerChunk = 8

    @Option(help: "The model's name.")
    var model = "fake-7b"

    @Option(help: "Requests that may wait for one engine.")
    var maxQueue = 256

    @Option(help: "Most tokens of prompt and answer together.")
    var contextLimit = 16384

    /// Throws a `ValidationError` that names the first flag whose value makes no fleet.
    func validate() throws {
        try Self.check("--replicas", replicas, in: 1...1000)
        try Self.check("--port", port, in: 0...(65535 - replicas))
        for (flag, value) in [("--speed", speed), ("--prefill-rate", prefillRate), ("--decode-rate", decodeRate)] {
            guard value > 0, value.isFinite else {
                throw ValidationError("\(flag) \(value): must be a number above 0")
            }
        }
        let most = 1 << 30
        try Self.check("--slots", slots, in: 1...most)
        try Self.check("--kv-blocks", kvBlocks, in: 1...most)
        try Self.check("--block-size", blockSize, in: 1...most)
        try Self.check("--tokens-per-chunk", tokensPerChunk, in: 1...most)
        try Self.check("--max-queue", maxQueue, in: 0...most)
        // A request that no empty cache can hold would wait for ever.
        try Self.check("--context-limit", contextLimit, in: 1...(kvBlocks * blockSize))
        guard !model.isEmpty else { throw ValidationError("--model \"\": must not be empty") }
    }

    /// The part that the engine needs.
    var engine: Engine.Settings {
        Engine.Settings(
            slots: slots,
            prefillRate: prefillRate,
            decodeRate: decodeRate,
            kvBlocks: kvBlocks,
            blockSize: blockSize,
            tokensPerChunk: tokensPerChunk,
            maxQueue: maxQueue
        )
    }

    private static func check(_ flag: String, _ value: Int, in range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw ValidationError("\(flag) \(value): must be from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
