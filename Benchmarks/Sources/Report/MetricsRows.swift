import CLimits
import Foundation
import GPUClient
import SpillwayCore

/// What it costs to read the load of an engine from its page of metrics, one that vLLM gave, and from the header of an answer.
func metricsRows(_ limits: Limits) throws -> [Row] {
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardizedFileURL
    let page = Array(try Data(contentsOf: root.appendingPathComponent("Tests/EnginePages/vllm-0.32.0.txt")))
    // A page is a thousand times as much as the other rows' operations.
    let parse = measure { count in
        for _ in 0..<count / 1_000 {
            guard let waiting = EngineMetrics(page, at: noon).load.waiting else { fatalError("not read") }
            limit_keep(UInt64(waiting))
        }
    }
    let read = measure { count in
        for _ in 0..<count / 1_000 {
            limit_keep(page.withUnsafeBytes { limit_sum($0.baseAddress, UInt64($0.count)) })
        }
    }
    let text = "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3"
    let header = measure { count in
        for _ in 0..<count {
            guard let waiting = OrcaReport(text, at: noon).load.waiting else { fatalError("not read") }
            limit_keep(UInt64(waiting))
        }
    }
    let thousand = { (figure: Figure) in
        Figure(nanoseconds: figure.nanoseconds * 1_000, allocations: figure.allocations * 1_000)
    }
    return [
        Row("metrics.parse", thousand(parse), thousand(read).nanoseconds, "read \(page.count / 1_000) KB"),
        // 80 bytes, each looked at once for the end of its name or value.
        Row("orca.text", header, 80 * limits.load, "80 load"),
    ]
}
