#if HTTPClientSupport
import AsyncHTTPClient
import Spillway
import Testing

@testable import SpillwayHTTPClient

@Suite("A watch of a fleet", .timeLimit(.minutes(10)))
struct FleetWatchTests {
    @Test("cancelled, it leaves no probe begun and no connection that waits")
    func cancelled() async throws {
        let engine = try await Engine.start("engine")
        engine.freeze()
        let health = ReplicaHealth.Configuration {
            $0.firstToken = .seconds(600)
            $0.probeLease = .seconds(1_200)
        }
        let fleet = try Fleet(
            "fleet", .init { $0.health = health }, members: [engine.member()], at: SystemTime().now)
        var configuration = FleetWatch.Configuration.quick
        configuration.scrapes.timeout = .seconds(600)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        let watch = try FleetWatch(fleet, configuration, client: client)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            try await until { engine.count("/metrics") == 1 && engine.count("/v1/chat/completions") == 1 }
            #expect(engine.open == 2)
            group.cancelAll()
            try await group.waitForAll()
        }
        try await until { engine.open == 0 }
        try await client.shutdown()
        let now = SystemTime().now, left = try #require(fleet.health(of: "engine"))
        #expect(left.phase == .starting && left.nextProbe(at: now).at <= now)
        #expect(left.beginProbe(at: now) != nil)
        #expect(engine.count("/metrics") == 1 && engine.count("/v1/chat/completions") == 1)
        try await engine.stop()
    }

    @Test("a client that was shut down ends it, and no replica is blamed")
    func clientGone() async throws {
        let engine = try await Engine.start("engine")
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        let fleet = try Fleet(
            "fleet", .init { $0.health = .quick }, members: [engine.member()], at: SystemTime().now)
        let watch = try FleetWatch(fleet, .quick, client: client)
        try await client.shutdown()
        await #expect(throws: HTTPClientError.alreadyShutdown) { try await watch.run() }
        #expect(fleet.health(of: "engine")?.status(at: SystemTime().now).missedProbes == 0)
        // It may run again, and says the same again.
        await #expect(throws: HTTPClientError.alreadyShutdown) { try await watch.run() }
        try await engine.stop()
    }

    @Test("it runs once at a time")
    func once() async throws {
        let engine = try await Engine.start("engine")
        let fleet = try Fleet("fleet", members: [engine.member()], at: SystemTime().now)
        let watch = try FleetWatch(fleet, .quick, client: .shared)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            try await until { engine.count("/metrics") > 0 }
            await #expect(throws: ConfigurationError.self) { try await watch.run() }
            group.cancelAll()
            try await group.waitForAll()
        }
        try await engine.stop()
    }

    @Test("an address that cannot be asked is that of nobody")
    func badAddress() async throws {
        try await Watching.run([Member("bad", address: "127.0.0.1:1")]) { watching in
            // By somebody who does not look.
            try watching.fleet.update([Member("bad", address: "ftp://127.0.0.1:1")], at: SystemTime().now)
            try await until { watching.failures(.probe).count > 4 && watching.failures(.metrics).count > 2 }
            #expect(watching.fleet.health(of: "bad")?.status(at: .zero).missedProbes ?? 0 > 0)
            #expect(watching.phase(of: "bad") == .starting)
        }
    }

    @Test("every field is checked")
    func configuration() throws {
        let fleet = try Fleet("fleet", members: [Member("a", address: "a:1")], at: .zero)
        let wrong: [(String, (inout FleetWatch.Configuration) -> Void)] = [
            ("apiPath", { $0.apiPath = "v1" }), ("apiPath", { $0.apiPath = "/v1/" }),
            ("metricsPath", { $0.metricsPath = "" }), ("metricsPath", { $0.metricsPath = "/a b" }),
            ("healthPath", { $0.healthPath = "/#" }), ("model", { $0.model = "" }), ("apiKey", { $0.apiKey = "a b" }),
            ("interval", { $0.scrapes.interval = .zero }), ("timeout", { $0.deviceScrapes.timeout = .zero }),
            ("pageLimit", { $0.pageLimit = 1_023 }), ("loadFreshness", { $0.loadFreshness = .seconds(-1) }),
            ("memberInterval", { $0.memberInterval = .zero }), ("absences", { $0.absences = 0 }),
            ("attention", { $0.attention = .seconds(11) }),
        ]
        for (field, change) in wrong {
            let error = #expect(throws: ConfigurationError.self) { try FleetWatch(fleet, .init(change)) }
            #expect(error?.field == field)
            #expect(error?.description.contains("a b") != true || field == "metricsPath")
        }
        _ = try FleetWatch(fleet, .init { $0.apiPath = "" })
    }

    @Test("a lease in which a probe cannot use the limit of its first token is refused")
    func lease() throws {
        for (firstToken, lease, isGood) in [(5, 5, false), (5, 9, false), (5, 10, true), (2, 10, true)] {
            let health = ReplicaHealth.Configuration {
                $0.firstToken = .seconds(firstToken)
                $0.probeLease = .seconds(lease)
            }
            let fleet = try Fleet(
                "fleet", .init { $0.health = health }, members: [Member("a", address: "a:1")], at: .zero)
            do {
                _ = try FleetWatch(fleet)
                #expect(isGood)
            } catch {
                #expect(!isGood && error.field == "probeLease")
            }
        }
    }

    @Test(
        "URLs of members",
        arguments: [
            ("10.0.0.1:8000", "http://10.0.0.1:8000/x", "http://10.0.0.1:9400/metrics"),
            ("[::1]:8000", "http://[::1]:8000/x", "http://[::1]:9400/metrics"),
            ("http://gpu:8000/", "http://gpu:8000/x", "http://gpu:9400/metrics"),
            ("https://gpu.example/base", "https://gpu.example/base/x", "http://gpu.example:9400/metrics"),
            ("https://[::1]", "https://[::1]/x", "http://[::1]:9400/metrics"),
        ])
    func urls(address: String, url: String, page: String) {
        let member = Member("m", address: address, labels: ["dcgm": ":9400"])
        #expect(member.url("/x") == url)
        #expect(member.page("dcgm", path: "/metrics") == page)
        #expect(member.page("metrics", path: "/metrics") == nil)
    }

    @Test("pages that labels name")
    func pages() {
        let labels = ["a": "host:1", "b": "host:1/gpus", "c": "https://host/", "d": ":1/p?q"]
        let member = Member("m", address: "own:8000", labels: labels)
        let found = ["a", "b", "c", "d"].map { member.page($0, path: "/m") }
        #expect(found == ["http://host:1/m", "http://host:1/gpus", "https://host/", "http://own:1/p?q"])
    }

    @Test(
        "what is at a member's address, and what is elsewhere",
        arguments: [
            ("gpu:8000", "http://GPU:8000/x", true), ("gpu:8000", "http://gpu:8000?x", true),
            ("http://gpu", "http://gpu:80/x", true), ("https://gpu/base", "https://gpu:443/x", true),
            ("[::1]:80", "http://[::1]/x", true), ("gpu:8000", "http://gpu:8001/x", false),
            ("https://gpu", "http://gpu:443/x", false), ("gpu:8000", "http://gpu:80001/x", false),
            ("gpu:8000", "http://gpu:8000@evil/x", false), ("gpu:8000", "http://evil/gpu:8000", false),
            ("gpu:8000", "http://evil#http://gpu:8000/", false), ("[::1]:8000", "http://[::1]/x", false),
        ])
    func origin(address: String, url: String, isThere: Bool) {
        #expect(Member("m", address: address).isAtAddress(url) == isThere)
    }
}
#endif
