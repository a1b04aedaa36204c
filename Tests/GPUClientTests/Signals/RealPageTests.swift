import Foundation
import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// Pages as real engines gave them while requests waited; docs/engines.md says how they were made.
@Suite("Pages of real engines")
struct RealPageTests {
    private let noon = Instant(nanoseconds: 1_000_000_000_000)

    private func page(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardizedFileURL
        return Array(try Data(contentsOf: tests.appendingPathComponent("EnginePages/\(name)")))
    }

    @Test("vLLM 0.32")
    func vllm() throws {
        let read = EngineMetrics(try page("vllm-0.32.0.txt"), at: noon)
        let load = EngineLoad(
            at: noon, waiting: 12, running: 8, kvUse: 0.019540791402051783, blockSize: 128, blocks: 2_048,
            prefixQueries: 31_444, prefixHits: 25_600, preemptions: 0)
        #expect(read.load == load && read.unreadable == 0)
        let another = EngineMetrics(try page("vllm-0.32.0.txt"), model: "another", at: noon).load
        #expect(another.waiting == nil && another.kvUse == nil && another.prefixHits == nil)
    }

    @Test("llama.cpp b11434")
    func llamaCpp() throws {
        let read = EngineMetrics(try page("llama.cpp-b11434.txt"), at: noon)
        #expect(read.load == EngineLoad(at: noon, waiting: 4, running: 4, prefixHits: 8_576))
        #expect(read.unreadable == 0)
    }

    @Test("a page that is cut off anywhere is read as far as it goes, like one that a plain reader reads")
    func cut() throws {
        let page = try page("vllm-0.32.0.txt")
        for end in stride(from: 0, through: page.count, by: page.count / 500) {
            let part = Array(page[..<end]), read = EngineMetrics(part, at: noon), plain = ReferencePage(part)
            #expect(read.load.waiting.map(Double.init) == plain.sum("waiting"), "up to \(end)")
            #expect(read.load.prefixHits.map(Double.init) == plain.sum("hits"), "up to \(end)")
            #expect(read.unreadable == plain.unreadable, "up to \(end)")
        }
    }

    @Test("the header of vLLM 0.32, in both forms")
    func header() {
        let load = EngineLoad(at: noon, waiting: 0, kvUse: 0)
        for header in [
            "TEXT named_metrics.num_requests_waiting=0.0, named_metrics.kv_cache_usage_perc=0.0",
            #"JSON {"named_metrics": {"num_requests_waiting": 0.0, "kv_cache_usage_perc": 0.0}}"#,
        ] {
            #expect(OrcaReport(header, at: noon).load == load)
        }
    }
}
