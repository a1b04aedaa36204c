import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Load signals as the page shows them")
struct SignalExampleTests {
    private func metricsPage() async throws -> [UInt8] {
        Array(
            VLLMPage {
                $0.model = "llama"; $0.engines[0].running = 7
            }.text.utf8)
    }

    @Test("a header and a scrape")
    func example() async throws {
        let time = ManualTime()
        let header: String? = "TEXT named_metrics.kv_cache_usage_perc=0.4, named_metrics.num_requests_waiting=3"
        let began = time.now

        var load = EngineLoad()
        var pace = try ScrapePace(at: time.now)
        if let header { load.update(OrcaReport(header, at: began).load) }
        time.advance(by: .seconds(1))
        if case .scrape(let number) = pace.next(at: time.now) {
            let asked = time.now
            let page = try await metricsPage()
            if pace.answered(number, at: time.now) {
                load.update(EngineMetrics(page, model: "llama", at: asked).load)
            }
        }
        #expect(load.waiting == 0 && load.running == 7 && load.blocks == 27_482)
        #expect(load.age(of: .waiting, at: time.now) == .zero)
    }
}
