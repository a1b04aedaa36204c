public import SpillwayCore

/// The size of a dense decoder model with grouped-query attention: what an engine's times and memory follow from.
///
/// A token costs two floating-point operations per parameter; its keys and values take
/// 2 × layers × KV heads × head dimension × bytes. Weights of 8 bit are computed at the 16-bit rate here, which is
/// pessimistic where the GPU has a faster one.
public struct ModelShape: Sendable, Hashable {
    /// Parameters.
    public let parameters: Double
    /// Bytes of a parameter: 2 for 16 bit, 1 for 8 bit, 0.5 for 4 bit.
    public let bytesPerParameter: Double
    /// Bytes of the keys and values of one token.
    public let contextBytesPerToken: Double
    /// Tokens of prompt and output that the model can take.
    public let contextLimit: Int

    /// Bytes of the weights.
    public var weightBytes: Double { parameters * bytesPerParameter }

    /// A model of a given shape.
    ///
    /// - Parameters:
    ///   - parameters: How many, 1 million to 10 trillion.
    ///   - bytesPerParameter: 0.1 to 8; 2 by default.
    ///   - layers: 1 to 10,000.
    ///   - kvHeads: Heads that keep keys and values, 1 to 10,000; as many as query heads without grouping.
    ///   - headDimension: 1 to 100,000; 128 by default.
    ///   - bytesPerElement: Bytes of a key's or value's element, 0.1 to 8; 2 by default.
    ///   - contextLimit: Tokens, 1 to a billion; 131,072 by default.
    /// - Throws: `ConfigurationError` for a value outside these ranges.
    public init(
        parameters: Double, bytesPerParameter: Double = 2, layers: Int, kvHeads: Int, headDimension: Int = 128,
        bytesPerElement: Double = 2, contextLimit: Int = 131_072
    ) throws(ConfigurationError) {
        let valid = Validation("ModelShape")
        try valid.number(parameters, "parameters", in: 1e6...1e13)
        try valid.number(bytesPerParameter, "bytesPerParameter", in: 0.1...8)
        try valid.count(layers, "layers", in: 1...10_000)
        try valid.count(kvHeads, "kvHeads", in: 1...10_000)
        try valid.count(headDimension, "headDimension", in: 1...100_000)
        try valid.number(bytesPerElement, "bytesPerElement", in: 0.1...8)
        try valid.count(contextLimit, "contextLimit", in: 1...1_000_000_000)
        self.init(
            parameters, bytesPerParameter, Double(2 * layers * kvHeads * headDimension) * bytesPerElement, contextLimit)
    }

    private init(
        _ parameters: Double, _ bytesPerParameter: Double, _ contextBytesPerToken: Double, _ contextLimit: Int
    ) {
        self.parameters = parameters
        self.bytesPerParameter = bytesPerParameter
        self.contextBytesPerToken = contextBytesPerToken
        self.contextLimit = contextLimit
    }

    /// Llama 3.2 1B at 16 bit: 16 layers of 8 KV heads of 64.
    public static let llama1B = ModelShape(1.24e9, 2, 32_768, 131_072)
    /// Llama 3.1 8B at 16 bit: 32 layers of 8 KV heads of 128.
    public static let llama8B = ModelShape(8.03e9, 2, 131_072, 131_072)
    /// Llama 3.1 70B with weights of 8 bit: 80 layers of 8 KV heads of 128.
    public static let llama70BFP8 = ModelShape(70.6e9, 1, 327_680, 131_072)
}

extension EngineModel.Configuration {
    /// An engine that serves `model` on one GPU of a class.
    ///
    /// Nine tenths of the memory are used, as vLLM does by default; what the weights and 1 GB of activations leave is the
    /// KV cache. A step costs the host 1 ms and 10 µs for each request.
    ///
    /// - Parameters:
    ///   - gpu: The GPU's memory and speed.
    ///   - model: The model's size.
    ///   - maxRunning: Requests in the batch, 256 by default.
    ///   - maxWaiting: Requests in the queue, 1,000 by default.
    ///   - contextLimit: Tokens of prompt and output; by default what the model takes and the KV cache holds.
    ///   - tokenBudget: Tokens of a step, 2,048 by default.
    ///   - tokensPerChunk: Tokens handed out at once, 8 by default.
    /// - Throws: `ConfigurationError` for a model that does not fit the GPU, or a value out of range.
    public init(
        gpu: GPUClass, model: ModelShape, maxRunning: Int = 256, maxWaiting: Int = 1_000, contextLimit: Int? = nil,
        tokenBudget: Int = 2_048, tokensPerChunk: Int = 8
    ) throws(ConfigurationError) {
        let blockSize = 16
        let left = gpu.memory * 0.9 - model.weightBytes - 1e9
        let blocks = min(10_000_000, (left / (model.contextBytesPerToken * Double(blockSize))).rounded(.down))
        try Validation("EngineModel").require(
            blocks >= 1, "model", "\(model.weightBytes / 1e9) GB of weights", "small enough for \(gpu.name)")
        let bandwidth = gpu.bandwidth * gpu.bandwidthShare
        try self.init(
            kvBlocks: Int(blocks), blockSize: blockSize, maxRunning: maxRunning, maxWaiting: maxWaiting,
            contextLimit: contextLimit ?? min(model.contextLimit, Int(blocks) * blockSize), tokenBudget: tokenBudget,
            tokensPerChunk: tokensPerChunk, stepOverhead: .milliseconds(1), sequenceOverhead: .microseconds(10),
            computeTime: .seconds(2 * model.parameters / (gpu.compute * gpu.computeShare)),
            weightsReadTime: .seconds(model.weightBytes / bandwidth),
            contextReadTime: .seconds(model.contextBytesPerToken / bandwidth))
    }
}
