public import SpillwayCore

/// A kind of GPU: what its datasheet says, and the share of it that an inference engine gets.
///
/// Memory, bandwidth and FLOP/s of the presets are those of NVIDIA's datasheets (dense, 16 bit). The shares are chosen so
/// that published figures come out: model FLOPs utilisation 0.45 to 0.65 in prefill (TensorRT-LLM 0.6 reads 2,048 tokens
/// of LLaMA 7B on an A100 in 133 ms, which is 0.66), model bandwidth utilisation 0.85 in decode (vLLM 0.23 decodes one
/// stream of Llama 3.1 8B on an A100 40 GB at 75 tokens/s, 0.77 of the ceiling with its overhead). They were not measured
/// for this project.
public struct GPUClass: Sendable, Hashable {
    /// What it is called.
    public let name: String
    /// Bytes of memory.
    public let memory: Double
    /// Bytes per second between memory and chip, peak.
    public let bandwidth: Double
    /// Floating-point operations per second at 16 bit without sparsity, peak.
    public let compute: Double
    /// The share of the compute that prefill reaches: the model FLOPs utilisation (MFU).
    public let computeShare: Double
    /// The share of the bandwidth that decode reaches: the model bandwidth utilisation (MBU).
    public let bandwidthShare: Double

    /// A kind of GPU.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - memory: Bytes.
    ///   - bandwidth: Bytes per second.
    ///   - compute: 16-bit FLOP/s.
    ///   - computeShare: Above 0, up to 1; 0.5 by default.
    ///   - bandwidthShare: Above 0, up to 1; 0.85 by default.
    /// - Throws: `ConfigurationError` for an empty name, a share outside its range, or a figure that is not positive.
    public init(
        name: String, memory: Double, bandwidth: Double, compute: Double, computeShare: Double = 0.5,
        bandwidthShare: Double = 0.85
    ) throws(ConfigurationError) {
        let valid = Validation("GPUClass")
        try valid.name(name)
        try valid.number(memory, "memory", in: 1...1e15)
        try valid.number(bandwidth, "bandwidth", in: 1...1e18)
        try valid.number(compute, "compute", in: 1...1e21)
        try valid.number(computeShare, "computeShare", in: 0.001...1)
        try valid.number(bandwidthShare, "bandwidthShare", in: 0.001...1)
        self.init(name, memory, bandwidth, compute, computeShare, bandwidthShare)
    }

    private init(
        _ name: String, _ memory: Double, _ bandwidth: Double, _ compute: Double, _ computeShare: Double,
        _ bandwidthShare: Double
    ) {
        self.name = name
        self.memory = memory
        self.bandwidth = bandwidth
        self.compute = compute
        self.computeShare = computeShare
        self.bandwidthShare = bandwidthShare
    }

    /// NVIDIA L4: 24 GB, 300 GB/s, 121 TFLOP/s; a card of 72 W that does not hold its peak.
    public static let l4 = GPUClass("L4", 24e9, 300e9, 121e12, 0.45, 0.85)
    /// NVIDIA A100 SXM 80 GB: 2,039 GB/s, 312 TFLOP/s.
    public static let a100 = GPUClass("A100 80GB", 80e9, 2_039e9, 312e12, 0.65, 0.85)
    /// NVIDIA H100 SXM: 80 GB, 3.35 TB/s, 989 TFLOP/s.
    public static let h100 = GPUClass("H100 SXM", 80e9, 3_350e9, 989e12, 0.55, 0.85)
    /// NVIDIA H200 SXM: 141 GB, 4.8 TB/s, 989 TFLOP/s.
    public static let h200 = GPUClass("H200", 141e9, 4_800e9, 989e12, 0.55, 0.85)
}
