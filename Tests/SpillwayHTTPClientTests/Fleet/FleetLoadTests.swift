#if HTTPClientSupport
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("A watch of a fleet's load", .timeLimit(.minutes(10)))
struct FleetLoadTests {
    @Test("what engines say of their load arrives in the fleet, without health checks too")
    func arrives() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        two.change { $0.metrics = .plain(200, [:], Page.load(waiting: 7, running: 8, kvUse: 0.5)) }
        try await Watching.run([one.member(), two.member("m")], health: nil) { watching in
            try await until { watching.load(of: "one").waiting == 1 && watching.load(of: "two").waiting == 7 }
            #expect(watching.load(of: "one").running == 2 && watching.load(of: "one").kvUse == 0.25)
            #expect(watching.load(of: "two").running == 8 && watching.load(of: "two").kvUse == 0.5)
            one.change { $0.metrics = .plain(200, [:], Page.load(waiting: 0, running: 9, kvUse: 1)) }
            try await until { watching.load(of: "one").running == 9 }
            #expect(one.count("/v1/chat/completions") == 0 && one.count("/health") == 0)
            #expect(watching.failures(.metrics).isEmpty)
        }
        try await one.stop()
        try await two.stop()
    }

    @Test("of two models on one page each member gets its own")
    func models() async throws {
        let engine = try await Engine.start("engine")
        engine.change {
            $0.metrics = .plain(
                200, [:],
                Page.load(waiting: 3, running: 4, kvUse: 0.1, model: "a")
                    + Page.load(waiting: 30, running: 40, kvUse: 0.9, model: "b"))
        }
        let address = "http://127.0.0.1:\(engine.port)/"
        let members = ["a", "b", "c"].map { Member($0, address: address, model: $0) }
        try await Watching.run(members, health: nil) { watching in
            try await until { !watching.load(of: "a").isEmpty && !watching.load(of: "b").isEmpty }
            #expect(watching.load(of: "a").running == 4 && watching.load(of: "b").running == 40)
            // The third is not there: that is no load of 0.
            try await until { watching.failures(.metrics).contains { $0.message.contains("'c'") } }
            #expect(watching.load(of: "c").isEmpty)
        }
        try await engine.stop()
    }

    /// Pages that cannot be used.
    enum Unusable: String, CaseIterable {
        case noMetrics, empty, anError, tooLarge, endless, refused, cutOff

        var answer: Upstream.Answer {
            let line = "vllm:num_requests_waiting 5\n", tooMuch = String(repeating: line, count: 200)
            return switch self {
            case .noMetrics: .plain(200, [:], "<html>\u{0}\u{1F600}</html>")
            case .empty: .plain(200)
            case .anError: .plain(503, [:], line)
            case .tooLarge: .plain(200, [:], tooMuch)
            case .endless: .stream([tooMuch], .never)
            case .refused: .reset
            case .cutOff: .stream([line], .cut)
            }
        }
    }

    @Test(
        "a page that cannot be used says nothing and is told of, and the next good one counts",
        arguments: Unusable.allCases)
    func unusable(page: Unusable) async throws {
        let engine = try await Engine.start("engine") { $0.metrics = page.answer }
        try await Watching.run([engine.member()], { $0.pageLimit = 1_024 }) { watching in
            try await until { watching.failures(.metrics).count > 2 }
            #expect(watching.load(of: "engine").isEmpty)
            try await until { watching.phase(of: "engine") == .ready }
            engine.change { $0.metrics = .plain(200, [:], Page.load(waiting: 6, running: 6, kvUse: 0.5)) }
            try await until { watching.load(of: "engine").waiting == 6 }
        }
        try await engine.stop()
    }

    @Test(
        "an engine that answers no scrape is left alone, while its probes go on",
        arguments: [Upstream.Answer.silence, .stream(["vllm:num_requests_waiting 5\n"], .never)])
    func wedged(page: Upstream.Answer) async throws {
        let engine = try await Engine.start("engine") { $0.metrics = page }
        try await Watching.run(
            [engine.member()],
            {
                $0.scrapes.timeout = .milliseconds(100)
                $0.scrapes.probeInterval = .seconds(3_600)
            }
        ) { watching in
            try await until { watching.failures(.metrics).count == 3 }
            #expect(watching.failures(.metrics).allSatisfy { $0.outcome == .failure(.timeout) })
            let probes = engine.count("/v1/chat/completions")
            try await until { engine.count("/v1/chat/completions") > probes + 20 }
            #expect(watching.failures(.metrics).count == 3 && engine.count("/metrics") <= 3)
            try await until { watching.phase(of: "engine") == .ready }
            #expect(watching.load(of: "engine").isEmpty)
            // Every scrape that timed out was broken off: what is left is that of the probes, and one that came too late to
            // be needed.
            try await until { engine.open <= 2 }
        }
        try await engine.stop()
    }

    @Test("the key goes to members at their addresses and to nobody else, and a label says where another page is")
    func keys() async throws {
        let engine = try await Engine.start("engine"), exporter = try await Engine.start("exporter")
        let labels = ["metrics": "127.0.0.1:\(exporter.port)", "dcgm": "http://127.0.0.1:\(exporter.port)/gpus"]
        exporter.change { $0.metrics = .plain(200, [:], Page.load(waiting: 4, running: 4, kvUse: 0.5)) }
        try await Watching.run([engine.member(nil, labels)], { ($0.apiKey, $0.model) = ("secret", "default") }) {
            watching in
            try await until { watching.load(of: "engine").waiting == 4 && exporter.count("/gpus") > 0 }
            try await until { watching.phase(of: "engine") == .ready }
        }
        #expect(engine.count("/metrics") == 0)
        // What is elsewhere is not the engine's.
        #expect(exporter.requests.allSatisfy { $0.head.headers.first(name: "authorization") == nil })
        for request in engine.requests {
            #expect(request.head.headers.first(name: "authorization") == "Bearer secret")
            guard request.head.uri == "/v1/chat/completions" else { continue }
            #expect(request.body.contains(#""model":"default""#) && request.body.contains(#""max_tokens":1"#))
        }
        try await engine.stop()
        try await exporter.stop()
    }

    @Test("a page that a label puts at the member's own port gets the key too")
    func keyOfOwnPage() async throws {
        let engine = try await Engine.start("engine")
        let labels = ["metrics": ":\(engine.port)/prometheus/metrics", "dcgm": "127.0.0.1:\(engine.port)/gpus"]
        try await Watching.run([engine.member(nil, labels)], { $0.apiKey = "secret" }) { watching in
            try await until { watching.load(of: "engine").waiting == 1 && engine.count("/gpus") > 0 }
        }
        #expect(engine.requests.allSatisfy { $0.head.headers.first(name: "authorization") == "Bearer secret" })
        try await engine.stop()
    }
}
#endif
