/// An engine's load as a Prometheus page, under vLLM's names.
struct MetricsPage: Sendable {
    let load: Engine.Load
    let settings: Engine.Settings
    let model: String

    /// The page; preemptions are always 0, because a request gets all its blocks before it starts.
    var text: String {
        let config = ["block_size": "\(settings.blockSize)", "num_gpu_blocks": "\(settings.kvBlocks)"]
        return [
            metric("num_requests_running", "gauge", "Requests in the running batch.", "\(load.running)"),
            metric("num_requests_waiting", "gauge", "Requests waiting to be scheduled.", "\(load.waiting)"),
            metric("kv_cache_usage_perc", "gauge", "KV cache blocks in use, from 0 to 1.", "\(load.kvUsage)"),
            metric("prefix_cache_queries_total", "counter", "Prompt tokens looked up.", "\(load.prefixQueries)"),
            metric("prefix_cache_hits_total", "counter", "Prompt tokens found cached.", "\(load.prefixHits)"),
            metric("num_preemptions_total", "counter", "Preempted requests.", "0"),
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
