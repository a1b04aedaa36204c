extension VLLMPage {
    struct Histogram {
        let name: String
        let help: String
        let buckets: [Double]
    }

    private static let firstToken = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
        2_560,
    ]
    private static let betweenTokens = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
    ]
    private static let spans = [
        0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1_920, 7_680,
    ]
    private static let tokens: [Double] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
    ]
    private static let steps: [Double] = [1, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384]

    /// In the order of vLLM's page.
    static let histograms = [
        Histogram(name: "request_prompt_tokens", help: "Number of prefill tokens processed.", buckets: tokens),
        Histogram(name: "request_generation_tokens", help: "Number of generation tokens processed.", buckets: tokens),
        Histogram(name: "iteration_tokens_total", help: "Number of tokens per engine_step.", buckets: steps),
        Histogram(
            name: "request_max_num_generation_tokens",
            help: "Histogram of maximum number of requested generation tokens.", buckets: tokens),
        Histogram(name: "request_params_n", help: "Histogram of the n request parameter.", buckets: [1, 2, 5, 10, 20]),
        Histogram(
            name: "request_params_max_tokens", help: "Histogram of the max_tokens request parameter.", buckets: tokens),
        Histogram(
            name: "time_to_first_token_seconds", help: "Histogram of time to first token in seconds.",
            buckets: firstToken),
        Histogram(
            name: "inter_token_latency_seconds", help: "Histogram of inter-token latency in seconds.",
            buckets: betweenTokens),
        Histogram(
            name: "request_time_per_output_token_seconds",
            help: "Histogram of time_per_output_token_seconds per request.", buckets: betweenTokens),
        Histogram(
            name: "e2e_request_latency_seconds", help: "Histogram of e2e request latency in seconds.", buckets: spans),
        Histogram(
            name: "request_queue_time_seconds", help: "Histogram of time spent in WAITING phase for request.",
            buckets: spans),
        Histogram(
            name: "request_inference_time_seconds", help: "Histogram of time spent in RUNNING phase for request.",
            buckets: spans),
        Histogram(
            name: "request_prefill_time_seconds", help: "Histogram of time spent in PREFILL phase for request.",
            buckets: spans),
        Histogram(
            name: "request_decode_time_seconds", help: "Histogram of time spent in DECODE phase for request.",
            buckets: spans),
    ]

    /// What the Python client and the web framework say of themselves, before vLLM's own.
    static let process: String = {
        var page = ""
        func head(_ name: String, _ kind: String, _ help: String) {
            page += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        }
        head("python_gc_objects_collected_total", "counter", "Objects collected during gc")
        for generation in 0...2 {
            page += "python_gc_objects_collected_total{generation=\"\(generation)\"} \(10_347 * (generation + 1)).0\n"
        }
        head("python_info", "gauge", "Python platform information")
        page +=
            "python_info{implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"11\",version=\"3.12.11\"} 1.0\n"
        head("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.")
        page += "process_virtual_memory_bytes 1.2390125568e+010\n"
        head("process_open_fds", "gauge", "Number of open file descriptors.")
        page += "process_open_fds 74.0\n"
        head("http_requests_total", "counter", "Total number of requests by method, status and handler.")
        for handler in ["/v1/chat/completions", "/v1/completions", "/metrics", "/health"] {
            page += "http_requests_total{handler=\"\(handler)\",method=\"POST\",status=\"2xx\"} 4217.0\n"
        }
        head(
            "http_request_duration_highr_seconds", "histogram", "Latency with many buckets but no API specific labels.")
        for bucket in spans + [.infinity] {
            page +=
                "http_request_duration_highr_seconds_bucket{le=\"\(bucket.isFinite ? "\(bucket)" : "+Inf")\"} 318.0\n"
        }
        return page
    }()
}
