import GPUClient
import SpillwayCore
import Testing

private let noon = Instant(nanoseconds: 1_000_000_000_000)

@Suite("Load in headers")
struct OrcaReportTests {
    @Test(
        "every form that servers send",
        arguments: [
            "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3",
            "text named_metrics.kv_cache_usage_perc=0.4,named_metrics.num_requests_waiting=3.0",
            "named_metrics.kv_cache_usage_perc=0.4,named_metrics.num_requests_waiting=3",
            "TEXT cpu_utilization=0.3, mem_utilization=NaN, eps=1, kv_cache_usage_perc = 4e-1 , num_requests_waiting=3",
            "TEXT named_metrics.vllm:kv_cache_usage_perc=0.4,,named_metrics.num_requests_waiting=3,",
            "JSON {\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3}}",
            "JSON {\"cpu_utilization\": 0.3, \"named_metrics\": {\"num_requests_waiting\": 3.0, \"kv_cache_utilization\": 0.4}}",
            "{\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3}}",
            "{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3,\"utilization\":{\"num_requests_waiting\":9}}",
            "JSON{\"a\":[1,{\"num_requests_waiting\":9},\"x\\\"]\"],\"named_metrics\":{\"n\":null,\"kv_cache_usage_perc\":0.4,"
                + "\"num_requests_waiting\":3}}",
        ])
    func forms(header: String) {
        let report = OrcaReport(header, at: noon)
        #expect(report.load == EngineLoad(at: noon, waiting: 3, kvUse: 0.4))
        #expect(report.unreadable == 0)
    }

    @Test("running requests are read where a server tells them")
    func running() {
        #expect(OrcaReport("num_requests_running=7", at: noon).load == EngineLoad(at: noon, running: 7))
        #expect(OrcaReport.requestHeader == "endpoint-load-metrics-format" && OrcaReport.requestValue == "text")
        #expect(OrcaReport.responseHeader == "endpoint-load-metrics")
    }

    @Test(
        "what cannot be read is ignored and counted",
        arguments: [
            ("", 0), ("TEXT", 1), ("JSON", 1), ("JSON ", 1), ("JSON []", 1), ("BIN AAAA", 1), ("TEXT ", 0), ("{", 1),
            ("{}", 0),
            ("num_requests_waiting=-1", 1), ("num_requests_waiting=", 1), ("num_requests_waiting=3x", 1),
            ("num_requests_waiting=NaN", 1), ("kv_cache_usage_perc=1.5", 1), ("kv_cache_usage_perc=inf", 1),
            ("kv_cache_usage_perc=40%", 1), ("TEXT {\"num_requests_waiting\":3}", 1),
            ("{\"num_requests_waiting\":\"3\"}", 1), ("{\"num_requests_waiting\":null}", 1),
            ("{\"num_requests_waiting\":NaN}", 1), ("{\"num_requests_waiting\":+3}", 1), ("{\"other\":+3}", 0),
            ("\u{0}\u{1}", 1), ("=3", 0), ("JSON {\"\\\"", 1), ("{}x", 1), ("JSON {} {}", 1), ("{} ", 0),
            (String(repeating: "{\"named_metrics\":", count: 50), 1),
            ("{\"a\":" + String(repeating: "[", count: 500), 1),
        ])
    func bad(header: String, unreadable: Int) {
        let report = OrcaReport(header, at: noon)
        #expect(report.load.isEmpty)
        #expect(report.unreadable == unreadable)
    }

    @Test("of a broken header what came before stays")
    func broken() {
        let report = OrcaReport("JSON {\"named_metrics\":{\"num_requests_waiting\":3,\"kv_cache", at: noon)
        #expect(report.load == EngineLoad(at: noon, waiting: 3) && report.unreadable == 1)
        #expect(OrcaReport(String(repeating: "a", count: OrcaReport.longest + 1), at: noon).unreadable == 1)
    }

    /// The text form again, by splitting strings.
    private func reference(_ header: String) -> EngineLoad {
        var body = Substring(header)
        let blanks: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        body = body.drop(while: blanks)
        if body.lowercased().hasPrefix("text"), let after = body.dropFirst(4).first, blanks(after) {
            body = body.dropFirst(4)
        }
        var waiting: Int?, running: Int?, use: Double?
        for pair in body.split(separator: ",") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { continue }
            func trimmed(_ text: Substring) -> Substring {
                var text = text.drop(while: blanks)
                while let last = text.last, blanks(last) { text.removeLast() }
                return text
            }
            var name = trimmed(halves[0])
            if name.hasPrefix("named_metrics.") { name = name.dropFirst(14) }
            if name.hasPrefix("vllm:") { name = name.dropFirst(5) }
            guard let value = ReferencePage.number(Array(trimmed(halves[1]).utf8)[...]), value >= 0 else { continue }
            switch name {
            case "kv_cache_usage_perc", "gpu_cache_usage_perc", "kv_cache_utilization":
                if value <= 1.001 { use = min(1, value) }
            case "num_requests_waiting": if value <= 1e9 { waiting = Int(value.rounded()) }
            case "num_requests_running": if value <= 1e9 { running = Int(value.rounded()) }
            default: break
            }
        }
        return EngineLoad(at: noon, waiting: waiting, running: running, kvUse: use)
    }

    @Test("random headers are read as by splitting strings, and none is too much")
    func random() {
        let pieces = [
            "TEXT ", "text\t", "JSON ", "named_metrics.", "vllm:", "kv_cache_usage_perc", "num_requests_waiting",
            "num_requests_running", "=", "=", "=", ",", ",", " ", "0.5", "3", "1e2", "-1", "NaN", "x", "\"",
        ]
        for seed in 1...20_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var header = ""
            for _ in 0..<Int.random(in: 0...24, using: &random) { header += pieces.randomElement(using: &random)! }
            let load = OrcaReport(header, at: noon).load
            let plain = header.drop { $0 == " " || $0 == "\t" }
            // That word promises another form.
            if plain.hasPrefix("JSON ") {
                #expect(load.isEmpty, "seed \(seed): \(header)")
            } else {
                #expect(load == reference(header), "seed \(seed): \(header)")
            }
        }
    }

    @Test("mutations of a header of JSON give nothing that cannot be")
    func mutations() {
        let good = Array(
            "JSON {\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3},\"a\":[1]}".utf8)
        for seed in 1...20_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch seed % 3 {
                case 0: bytes[at] = Array("{}[]\",:\\0".utf8).randomElement(using: &random)!
                case 1: bytes.remove(at: at)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                }
            }
            let report = bytes.withUnsafeBytes { OrcaReport($0, at: noon) }
            #expect(report.load.kvUse.map { $0 >= 0 && $0 <= 1 } ?? true, "seed \(seed)")
            #expect(report.load.waiting.map { $0 >= 0 } ?? true, "seed \(seed)")
            // What tells them is whole, so they are read, or something before it was broken and counted.
            let text = String(decoding: bytes, as: UTF8.self)
            let isTold = text.contains("{\"named_metrics\":{\"kv_cache_usage_perc\":0.4,\"num_requests_waiting\":3}")
            let isRead = report.load.waiting != nil && report.load.kvUse != nil
            #expect(!isTold || isRead || report.unreadable > 0, "seed \(seed): \(text)")
        }
    }
}
