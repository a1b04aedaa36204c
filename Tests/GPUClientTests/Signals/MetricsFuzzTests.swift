import CAllocations
import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

private let noon = Instant(nanoseconds: 1_000_000_000_000)

@Suite("Metrics of engines that nobody wrote")
struct MetricsFuzzTests {
    private static let pieces = [
        "vllm:num_requests_waiting", "vllm:num_requests_running", "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc",
        "vllm:prefix_cache_hits_total", "vllm:prefix_cache_hits", "vllm_num_preemptions_total", "sglang:token_usage",
        "sglang:num_pages", "vllm:cache_config_info", "{", "}", "model_name=\"m\"", "engine=\"1\"", "block_size=\"16\"",
        "num_gpu_blocks=\"100\"", "num_pages=\"None\"", ",", " ", "\t", "\n", "\r\n", "\\", "\"", "1", "0.5", "-3",
        "1e3",
        "NaN", "+Inf", "1e400", "12345678901234567890", "1700000000000", "#", "_total", "\u{0}", "é", "=", "0.0000001",
    ]

    private func mutated(_ page: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var page = page
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...page.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where at < page.count: page[at] = UInt8.random(in: 0...255, using: &random)
            case 1: page.insert(contentsOf: Self.pieces.randomElement(using: &random)!.utf8, at: at)
            case 2: page.removeSubrange(at..<min(page.count, at + Int.random(in: 0...40, using: &random)))
            case 3: page.removeLast(min(page.count, Int.random(in: 0...60, using: &random)))
            default:
                let end = min(page.count, at + Int.random(in: 0...120, using: &random))
                page.insert(contentsOf: page[at..<end], at: Int.random(in: 0...page.count, using: &random))
            }
        }
        return page
    }

    private func agrees(_ page: [UInt8], model: String?, _ note: Comment) {
        let read = EngineMetrics(page, model: model, at: noon), reference = ReferencePage(page, model: model)
        func same(_ value: Double?, _ expected: Double?, _ name: Comment) {
            let expected = expected.map { min($0, 0x1p53) }
            #expect(
                value == expected || (value != nil && expected != nil && close(value!, expected!, within: 1e-9)),
                "\(name) \(note)")
        }
        func whole(_ value: Double?) -> Double? { value.map { $0.rounded() } }
        let load = read.load
        same(load.waiting.map(Double.init), whole(reference.sum("waiting")), "waiting")
        same(load.running.map(Double.init), whole(reference.sum("running")), "running")
        same(load.kvUse, reference.mean("kvUse"), "kvUse")
        same(load.hitRate, reference.mean("hitRate"), "hitRate")
        same(load.blockSize.map(Double.init), whole(reference.most("blockSize")), "blockSize")
        same(load.blocks.map(Double.init), whole(reference.sum("blocks")), "blocks")
        same(load.prefixQueries.map { Double($0) }, whole(reference.sum("queries")), "queries")
        same(load.prefixHits.map { Double($0) }, whole(reference.sum("hits")), "hits")
        same(load.preemptions.map { Double($0) }, whole(reference.sum("preemptions")), "preemptions")
        #expect(read.unreadable == reference.unreadable, note)
    }

    @Test("mutations of a page are read as the plainest reader reads them")
    func mutations() {
        let small =
            VLLMPage { $0.engines = [.init { $0.waiting = 3 }, .init { $0.kvUse = 0.5 }] }.text
            .split(separator: "\n").filter { !$0.contains("bucket") && !$0.contains("_created") }
            .joined(separator: "\n") + "\n"
        for seed in 1...2_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let page = mutated(Array(small.utf8), &random)
            agrees(page, model: seed % 3 == 0 ? "m" : nil, "seed \(seed)")
        }
    }

    @Test("pages of random pieces are read as the plainest reader reads them")
    func pieces() {
        for seed in 1...3_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var page: [UInt8] = []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                page += Array(Self.pieces.randomElement(using: &random)!.utf8)
            }
            agrees(page, model: seed % 3 == 0 ? "m" : nil, "seed \(seed)")
        }
    }

    @Test("numbers are what Swift reads")
    func numbers() throws {
        for seed in 1...5_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let text =
                switch seed % 4 {
                case 0: "\(Double(bitPattern: random.next()))"
                case 1: "\(random.next() % 1_000_000_000)"
                case 2: "\(Double(random.next() % 10_000_000) / 1e6)e\(Int.random(in: -5...5, using: &random))"
                default: "0.\(random.next())\(random.next())"
                }
            let expected = try #require(Double(text))
            let load = EngineMetrics(
                Array("vllm:prefix_cache_hits \(text)\nvllm:kv_cache_usage_perc \(text)\n".utf8), at: noon
            ).load
            let hits = expected >= 0 && expected <= 0x1p53 ? expected.rounded() : nil
            #expect(
                load.prefixHits.map { Double($0) } == hits || close(Double(load.prefixHits!), hits!, within: 1e-15),
                "\(text)")
            if expected >= 0 && expected <= 1 { #expect(close(load.kvUse!, expected, within: 1e-15), "\(text)") }
        }
    }

    @Test("megabytes of junk are passed over")
    func junk() {
        var random = RandomSource.seeded(1)
        let noise = (0..<1 << 20).map { _ in UInt8.random(in: 0...255, using: &random) }
        let line = Array("vllm:num_requests_waiting{a=\"".utf8) + [UInt8](repeating: 120, count: 4 << 20)
        let names = (0..<40_000).flatMap { _ in Array("vllm:num_requests_waiting{\n".utf8) }
        for page in [
            noise, line, names, [UInt8](repeating: 10, count: 1 << 20), [UInt8](repeating: 123, count: 1 << 20),
        ] {
            let read = EngineMetrics(page + Array("\nvllm:num_requests_running 4\n".utf8), at: noon)
            #expect(read.load == EngineLoad(at: noon, running: 4))
        }
        #expect(EngineMetrics(names, at: noon).unreadable == 40_000)
        #expect(EngineMetrics([], at: noon).load.isEmpty)
    }

    @Test("to read allocates nothing", .enabled(if: allocations_are_counted()))
    func allocations() {
        let page = Array(VLLMPage { $0.engines[0].waiting = 1 }.text.utf8)
        let model = "meta-llama/Llama-3.1-8B-Instruct"
        let text = "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3"
        var load = EngineLoad(), sum = 0
        func count(_ body: () -> Void) -> UInt64 {
            for _ in 0..<10 { body() }
            let before = allocations_of_thread()
            for _ in 0..<100 { body() }
            return allocations_of_thread() - before
        }
        #expect(count { sum += EngineMetrics(page, at: noon).load.waiting ?? 0 } == 0)
        #expect(count { sum += EngineMetrics(page, model: model, at: noon).load.waiting ?? 0 } == 0)
        #expect(count { load.update(OrcaReport(text, at: noon).load) } == 0)
        #expect(sum == 220 && load.waiting == 3 && load.kvUse == 0.4)
    }
}
