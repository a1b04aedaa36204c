/// A page of metrics as vLLM's server writes it, for servers of tests that play an engine.
///
/// Names, labels and buckets are those that vLLM documents (docs.vllm.ai, *Production Metrics*), in the format of the Python
/// client of Prometheus. As on a real page nearly all of it is buckets of histograms: one engine makes some 40 KB.
public struct VLLMPage: Sendable {
    /// One engine, that is one data-parallel rank of the server.
    public struct Engine: Sendable {
        /// Requests that wait.
        public var waiting = 0
        /// Requests that run.
        public var running = 0
        /// The share of blocks that is used, from 0 to 1.
        public var kvUse = 0.0
        /// Tokens that were looked up in the prefix cache.
        public var prefixQueries: Int64 = 0
        /// Tokens that were found there.
        public var prefixHits: Int64 = 0
        /// Requests that were preempted.
        public var preemptions: Int64 = 0

        /// An engine without work, changed by `change`.
        public init(_ change: (inout Engine) -> Void = { _ in }) { change(&self) }
    }

    /// The label `model_name`.
    public var model = "meta-llama/Llama-3.1-8B-Instruct"
    /// The engines, one by default.
    public var engines = [Engine()]
    /// Tokens in a block.
    public var blockSize = 16
    /// Blocks of each engine.
    public var blocks = 27_482

    /// A page of one engine without work, changed by `change`.
    public init(_ change: (inout VLLMPage) -> Void = { _ in }) { change(&self) }

    /// The page.
    public var text: String {
        var page = Self.process
        gauge(&page, "num_requests_running", "Number of requests in model execution batches.") { Double($0.running) }
        gauge(&page, "num_requests_waiting", "Number of requests waiting to be processed.") { Double($0.waiting) }
        gauge(&page, "engine_sleep_state", "Engine sleep state; awake = 0 means engine is sleeping.") { _ in 1 }
        gauge(&page, "kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.") { $0.kvUse }
        counter(&page, "prefix_cache_queries", "Prefix cache queries, in terms of number of queried tokens.") {
            $0.prefixQueries
        }
        counter(&page, "prefix_cache_hits", "Prefix cache hits, in terms of number of cached tokens.") {
            $0.prefixHits
        }
        counter(&page, "num_preemptions", "Cumulative number of preemption from the engine.") { $0.preemptions }
        counter(&page, "prompt_tokens", "Number of prefill tokens processed.") { $0.prefixQueries }
        counter(&page, "generation_tokens", "Number of generation tokens processed.") { $0.prefixQueries / 3 }
        for histogram in Self.histograms { add(&page, histogram) }
        head(&page, "cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
        for number in engines.indices {
            page +=
                "vllm:cache_config_info{block_size=\"\(blockSize)\",cache_dtype=\"auto\",calculate_kv_scales=\"False\","
            page += "cpu_offload_gb=\"0\",enable_prefix_caching=\"True\",engine=\"\(number)\","
            page += "gpu_memory_utilization=\"0.9\",is_attention_free=\"False\",num_cpu_blocks=\"None\","
            page += "num_gpu_blocks=\"\(blocks)\",num_gpu_blocks_override=\"None\","
            page += "prefix_caching_hash_algo=\"builtin\",sliding_window=\"None\",swap_space=\"4.0\"} 1.0\n"
        }
        return page
    }

    private func labels(_ number: Int) -> String { "engine=\"\(number)\",model_name=\"\(model)\"" }

    private func head(_ page: inout String, _ name: String, _ kind: String, _ help: String) {
        page += "# HELP vllm:\(name) \(help)\n# TYPE vllm:\(name) \(kind)\n"
    }

    private func gauge(_ page: inout String, _ name: String, _ help: String, _ value: (Engine) -> Double) {
        head(&page, name, "gauge", help)
        for (number, engine) in engines.enumerated() {
            page += "vllm:\(name){\(labels(number))} \(value(engine))\n"
        }
    }

    private func counter(_ page: inout String, _ name: String, _ help: String, _ value: (Engine) -> Int64) {
        head(&page, "\(name)_total", "counter", help)
        for (number, engine) in engines.enumerated() {
            page += "vllm:\(name)_total{\(labels(number))} \(Double(value(engine)))\n"
        }
        created(&page, name, help)
    }

    private func created(_ page: inout String, _ name: String, _ help: String) {
        head(&page, "\(name)_created", "gauge", help)
        for number in engines.indices { page += "vllm:\(name)_created{\(labels(number))} 1.7636589018272e+09\n" }
    }

    private func add(_ page: inout String, _ histogram: Histogram) {
        head(&page, histogram.name, "histogram", histogram.help)
        for number in engines.indices {
            var count = 0
            for bucket in histogram.buckets {
                count += Int(bucket) % 7
                page += "vllm:\(histogram.name)_bucket{engine=\"\(number)\",le=\"\(bucket)\",model_name=\"\(model)\"} "
                page += "\(Double(count))\n"
            }
            page += "vllm:\(histogram.name)_bucket{engine=\"\(number)\",le=\"+Inf\",model_name=\"\(model)\"} "
            page += "\(Double(count))\n"
            page += "vllm:\(histogram.name)_count{\(labels(number))} \(Double(count))\n"
            page += "vllm:\(histogram.name)_sum{\(labels(number))} \(Double(count) * 1.37)\n"
        }
        created(&page, histogram.name, histogram.help)
    }
}
