import SpillwayTesting

/// An engine's load as a Prometheus page, under vLLM's names.
struct MetricsPage: Sendable {
    let load: EngineModel.Load
    let engine: EngineModel.Configuration
    let model: String

    /// The page.
    var text: String {
        let config = ["block_size": "\(engine.blockSize)", "num_gpu_blocks": "\(engine.kvBlocks)"]
        return [
            metric("num_requests_running", "gauge", "Requests in the running batch.", "\(load.running)"),
            metric("num_requests_waiting", "gauge", "Requests waiting to be scheduled.", "\(load.waiting)"),
            metric("kv_cache_usage_perc", "gauge", "KV cache blocks in use, from 0 to 1.", "\(load.kvUsage)"),
            metric("prefix_cache_queries_total", "counter", "Prompt tokens looked up.", "\(load.prefixQueries)"),
            metric("prefix_cache_hits_total", "counter", "Prompt tokens found cached.", "\(load.prefixHits)"),
            metric("num_preemptions_total", "counter", "Preempted requests.", "\(load.preemptions)"),
            metric("cache_config_info", "gauge", "The engine's cache configuration.", "1", extra: config),
        ].joined()
    }

    private func metric(
        _ name: String,
        _ type: String,
        _ help: String,
        _ value: String,
        extra: [String: String] = [:]
    ) -> String {
        let labels = extra.merging(["engine": "0", "model_name": model]) { $1 }
            .sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            .joined(separator: ",")
        return """
            # HELP vllm:\(name) \(help)
            # TYPE vllm:\(name) \(type)
            vllm:\(name){\(labels)} \(value)

            """
    }

    private static func escaped(_ label: String) -> String {
        label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
