import SpillwayCore
import Testing

@testable import SpillwayTesting

private typealias Configuration = EngineModel.Configuration

/// Tokens per second of `streams` requests that run together.
private func outputRate(
    _ configuration: EngineModel.Configuration, prompt: Int, output: Int, streams: Int = 1
) throws -> Double {
    var engine = EngineModel(configuration)
    for _ in 0..<streams { _ = try engine.submit(.init(promptTokens: prompt, outputTokens: output), at: .zero) }
    let end = try #require(engine.runToEnd().last).at
    return Double(streams * output) * 1e9 / Double(end.nanoseconds)
}

private func firstToken(_ configuration: EngineModel.Configuration, prompt: Int) throws -> Double {
    1 / (try outputRate(configuration, prompt: prompt, output: 1))
}

private func isNear(_ value: Double, _ expected: Double, within share: Double) -> Bool {
    abs(value / expected - 1) <= share
}

@Suite struct EngineConfigurationTests {
    @Test(arguments: [
        "kvBlocks", "blockSize", "maxRunning", "maxWaiting", "contextLimit", "tokenBudget", "tokensPerChunk",
        "stepOverhead", "computeTime", "a step of one token",
    ])
    func `a value out of range is refused by its name`(field: String) {
        func value(_ name: String, _ good: Int) -> Int { name == field ? 0 : good }
        func time(_ name: String, _ good: Duration) -> Duration { name == field ? .seconds(-1) : good }
        let error = #expect(throws: ConfigurationError.self) {
            try EngineModel.Configuration(
                kvBlocks: value("kvBlocks", 100), blockSize: value("blockSize", 16), maxRunning: value("maxRunning", 4),
                maxWaiting: value("maxWaiting", 4), contextLimit: value("contextLimit", 100),
                tokenBudget: value("tokenBudget", 100), tokensPerChunk: value("tokensPerChunk", 8),
                stepOverhead: time("stepOverhead", .zero),
                computeTime: time("computeTime", field == "a step of one token" ? .zero : .milliseconds(1)),
                weightsReadTime: .zero)
        }
        #expect(error?.field == field)
    }

    @Test func `limits depend on each other`() {
        func make(maxRunning: Int = 8, contextLimit: Int? = nil, tokenBudget: Int = 64) throws {
            _ = try EngineModel.Configuration(
                kvBlocks: 10, maxRunning: maxRunning, contextLimit: contextLimit, tokenBudget: tokenBudget,
                computeTime: .milliseconds(1), weightsReadTime: .zero)
        }
        #expect(throws: Never.self) { try make(contextLimit: 160) }
        #expect(throws: ConfigurationError.self) { try make(contextLimit: 161) }
        #expect(throws: ConfigurationError.self) { try make(maxRunning: 65) }
    }

    @Test func `shapes and classes refuse what cannot be`() throws {
        #expect(throws: ConfigurationError.self) { try ModelShape(parameters: .nan, layers: 32, kvHeads: 8) }
        #expect(throws: ConfigurationError.self) { try ModelShape(parameters: 8e9, layers: 0, kvHeads: 8) }
        #expect(throws: ConfigurationError.self) {
            try GPUClass(name: "", memory: 1e9, bandwidth: 1e9, compute: 1e12)
        }
        #expect(throws: ConfigurationError.self) {
            try GPUClass(name: "x", memory: 1e9, bandwidth: 1e9, compute: 1e12, computeShare: 1.5)
        }
        #expect(throws: ConfigurationError.self) { try Configuration(gpu: .l4, model: .llama70BFP8) }
        let whole = try ModelShape(parameters: 70.6e9, layers: 80, kvHeads: 8)
        #expect(throws: ConfigurationError.self) { try Configuration(gpu: .h200, model: whole) }
    }

    @Test func `a preset is its own shape`() throws {
        #expect(ModelShape.llama8B == (try ModelShape(parameters: 8.03e9, layers: 32, kvHeads: 8)))
        #expect(ModelShape.llama1B == (try ModelShape(parameters: 1.24e9, layers: 16, kvHeads: 8, headDimension: 64)))
        let large = try ModelShape(parameters: 70.6e9, bytesPerParameter: 1, layers: 80, kvHeads: 8)
        #expect(ModelShape.llama70BFP8 == large)
    }

    @Test(arguments: [GPUClass.l4, .a100, .h100, .h200], [ModelShape.llama1B, .llama8B])
    func `one stream decodes near bandwidth over weights, prompts are read near peak`(
        gpu: GPUClass, model: ModelShape
    ) throws {
        let configuration = try Configuration(gpu: gpu, model: model)
        let decode = try outputRate(configuration, prompt: 16, output: 1_000)
        let ceiling = gpu.bandwidth / model.weightBytes
        // The overhead of a step weighs the more, the smaller the model.
        #expect(decode < 0.85 * ceiling)
        #expect(decode > (model == .llama1B ? 0.3 : 0.6) * ceiling)
        let prefill = 2_048 / (try firstToken(configuration, prompt: 2_048))
        #expect(isNear(prefill, gpu.compute * gpu.computeShare / (2 * model.parameters), within: 0.15))
        // Batching is worth a factor.
        let batch = try outputRate(configuration, prompt: 16, output: 200, streams: 32)
        #expect(batch > 8 * decode)
    }

    @Test func `the KV caches have the sizes that engines report`() throws {
        func tokens(_ gpu: GPUClass, _ model: ModelShape) throws -> Int {
            let configuration = try Configuration(gpu: gpu, model: model)
            return configuration.kvBlocks * configuration.blockSize
        }
        #expect((30_000...40_000).contains(try tokens(.l4, .llama8B)))
        #expect((380_000...450_000).contains(try tokens(.h100, .llama8B)))
        #expect((800_000...900_000).contains(try tokens(.h200, .llama8B)))
        #expect((150_000...180_000).contains(try tokens(.h200, .llama70BFP8)))
    }

    /// vLLM 0.23, one stream of Llama 3.1 8B: about 75 tokens/s on an A100 40 GB.
    /// https://johnmusgrave.com/p/vllm-throughput-latency-sweep-on
    @Test func `one stream on an A100 40 GB`() throws {
        let gpu = try GPUClass(
            name: "A100 40GB", memory: 40e9, bandwidth: 1_555e9, compute: 312e12, computeShare: 0.65)
        let configuration = try Configuration(gpu: gpu, model: .llama8B)
        #expect(isNear(try outputRate(configuration, prompt: 1, output: 128), 75, within: 0.1))
    }

    /// 62.3 ms for a token of a 7B model at 16 bit on an L4: Chen, on batch-1 decode, arXiv, May 2026.
    @Test func `one stream on an L4`() throws {
        let model = try ModelShape(parameters: 7.6e9, layers: 28, kvHeads: 4)
        let configuration = try Configuration(gpu: .l4, model: model)
        #expect(isNear(1_000 / (try outputRate(configuration, prompt: 1, output: 1_000)), 62.3, within: 0.1))
    }

    /// TensorRT-LLM 0.6.1, LLaMA 7B at 16 bit on an A100 80 GB, from its performance page.
    @Test(arguments: [(60, 128, 2_048, 1_928.0), (52, 2_048, 128, 591), (384, 128, 128, 5_586)])
    func `a batch on an A100 80 GB`(streams: Int, prompt: Int, output: Int, published: Double) throws {
        let model = try ModelShape(parameters: 6.74e9, layers: 32, kvHeads: 32)
        let configuration = try Configuration(gpu: .a100, model: model, maxRunning: 384)
        let rate = try outputRate(configuration, prompt: prompt, output: output, streams: streams)
        #expect(isNear(rate, published, within: 0.2), "\(rate)")
    }

    /// The same page: 133 ms to the first token of 2,048.
    @Test func `a first token on an A100 80 GB`() throws {
        let model = try ModelShape(parameters: 6.74e9, layers: 32, kvHeads: 32)
        let configuration = try Configuration(gpu: .a100, model: model)
        #expect(isNear(try firstToken(configuration, prompt: 2_048), 0.133, within: 0.1))
    }
}
