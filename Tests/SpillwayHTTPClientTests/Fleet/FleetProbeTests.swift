#if HTTPClientSupport
import AsyncHTTPClient
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A watch of a fleet's health", .timeLimit(.minutes(10)))
struct FleetProbeTests {
    @Test(
        "a replica that lives but makes no token goes out of use, and comes back with its tokens",
        arguments: [
            Upstream.Answer.plain(500), .plain(200, [:], Engine.noToken), .plain(200, [:], "no JSON"), .silence,
            .plain(200, [:], #"{"error":{"message":"out of memory","code":500}}"#), .reset,
        ])
    func noToken(answer: Upstream.Answer) async throws {
        let engine = try await Engine.start("engine")
        try await Watching.run([engine.member()], health: .impatient) { watching in
            try await until { watching.phase(of: "engine") == .ready }
            engine.change { $0.chat = answer }
            try await until { watching.phase(of: "engine") == .degraded }
            // It lives, so it is never taken for dead, however long this goes on.
            let probes = engine.count("/v1/chat/completions")
            try await until { engine.count("/v1/chat/completions") > probes + 6 }
            #expect(watching.phase(of: "engine") == .degraded)
            engine.change { $0.chat = .plain(200, [:], Engine.token) }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }

    @Test("a replica that refuses connections is dead, and comes back when it listens again")
    func refuses() async throws {
        let engine = try await Engine.start("engine")
        try await Watching.run([engine.member()]) { watching in
            try await until { watching.phase(of: "engine") == .ready }
            try await engine.stop()
            try await until { watching.phase(of: "engine") == .dead }
            #expect(watching.reason(of: "engine") == .unreachable)
            #expect(watching.failures(.probe).contains { $0.outcome.cause == .connect })
            try await engine.restart()
            try await until { watching.phase(of: "engine") == .ready }
            try await until { watching.load(of: "engine").waiting == 1 }
        }
        try await engine.stop()
    }

    @Test("a client that tries refused connections again finds them dead all the same")
    func refusesShared() async throws {
        let engine = try await Engine.start("engine")
        try await engine.stop()
        let health = ReplicaHealth.Configuration {
            // That client finds out when the time is up.
            $0 = .impatient
            $0.startLimit = .milliseconds(1)
        }
        let fleet = try Fleet(
            "fleet", .init { $0.health = health }, members: [engine.member()], at: SystemTime().now)
        let errors = Locked<[UpstreamError]>([])
        var configuration = FleetWatch.Configuration.quick
        configuration.observe = { event in
            guard case .failed(.probe, _, let error) = event else { return }
            errors.withLock { $0.append(error) }
        }
        let watch = try FleetWatch(fleet, configuration, client: .shared)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            // Where everything is slow, it may be the time of the watch that is up first.
            try await until { errors.withLock { $0.count { $0.outcome.cause == .connect } } > 2 }
            try await until { fleet.health(of: "engine")?.phase == .dead }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a replica that answers nothing at all is out of use at once, later dead, and comes back")
    func frozen() async throws {
        let engine = try await Engine.start("engine")
        try await Watching.run([engine.member()], health: .impatient) { watching in
            try await until { watching.phase(of: "engine") == .ready }
            engine.freeze()
            try await until { watching.phase(of: "engine") == .degraded }
            #expect(watching.reason(of: "engine") == .hung)
            try await until { watching.phase(of: "engine") == .dead }
            engine.change { $0 = Engine.Ways() }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }

    @Test("an engine that is loading its model answers, and is not ready before it makes a token")
    func loading() async throws {
        let engine = try await Engine.start("engine") {
            ($0.health, $0.chat) = (.plain(503, [:], "loading"), .plain(503, [:], "loading"))
        }
        try await Watching.run([engine.member()]) { watching in
            try await until { watching.failures(.probe).count > 5 }
            #expect(watching.phase(of: "engine") == .starting)
            engine.change { $0 = Engine.Ways() }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }

    @Test("one whose memory is full makes tokens, and gets no calls until there is room again")
    func memory() async throws {
        let engine = try await Engine.start("engine")
        try await Watching.run([engine.member()]) { watching in
            try await until { watching.phase(of: "engine") == .ready }
            engine.change { $0.metrics = .plain(200, [:], Page.load(waiting: 9, running: 9, kvUse: 0.99)) }
            try await until { watching.phase(of: "engine") == .degraded }
            #expect(watching.reason(of: "engine") == .memory)
            engine.change { $0.metrics = .plain(200, [:], Page.load(waiting: 0, running: 9, kvUse: 0.5)) }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }

    @Test("what an engine said of its memory long ago does not count")
    func staleMemory() async throws {
        let engine = try await Engine.start("engine")
        engine.change { $0.metrics = .plain(200, [:], Page.load(waiting: 9, running: 9, kvUse: 0.99)) }
        try await Watching.run([engine.member()], { $0.loadFreshness = .zero }) { watching in
            try await until { watching.load(of: "engine").kvUse == 0.99 }
            let probes = engine.count("/v1/chat/completions")
            try await until { engine.count("/v1/chat/completions") > probes + 5 }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
    }

    @Test("calls that fail have a probe made at once, though the next was not due for an hour")
    func attention() async throws {
        let engine = try await Engine.start("engine")
        let health = ReplicaHealth.Configuration {
            $0 = .quick
            $0.probeInterval = .seconds(3_600)
            $0.maximumInterval = .seconds(3_600)
        }
        try await Watching.run([engine.member()], health: health) { watching in
            try await until { watching.phase(of: "engine") == .ready }
            engine.change { $0.chat = .plain(500) }
            let placement = try watching.fleet.place(Call(), at: SystemTime().now)
            placement.hung(at: SystemTime().now)
            #expect(watching.phase(of: "engine") == .degraded)
            try await until { watching.failures(.probe).count > 1 }
            engine.change { $0.chat = .plain(200, [:], Engine.token) }
            placement.settle(.failure(.timeout), at: SystemTime().now)
        }
        try await engine.stop()
    }

    @Test("while nothing is due nobody wakes, and a probe that is due before its time is made though time stands still")
    func bell() async throws {
        let engine = try await Engine.start("engine"), time = ManualTime(SystemTime().now)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        let health = ReplicaHealth.Configuration {
            $0 = .quick
            $0.firstToken = .seconds(30)
            $0.probeLease = .seconds(60)
            $0.probeInterval = .seconds(3_600)
            $0.maximumInterval = .seconds(3_600)
            $0.verifyInterval = .seconds(3_600)
        }
        let fleet = try Fleet("fleet", .init { $0.health = health }, members: [engine.member()], at: time.now)
        let watch = try FleetWatch(
            fleet,
            .init {
                $0.memberInterval = .seconds(3_600)
                $0.scrapes.interval = .seconds(3_600)
                $0.scrapes.longest = .seconds(3_600)
                $0.scrapes.probeInterval = .seconds(3_600)
            }, client: client, time: time)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            // The first scrape comes some time within its interval.
            try await until { fleet.health(of: "engine")?.phase == .ready }
            engine.change { $0.chat = .plain(500) }
            let told = Locked(false), probes = engine.count("/v1/chat/completions")
            let visit = try fleet.visit(Call(idempotency: .idempotent), at: time.now)
            visit.whenHandedOver { told.withLock { $0 = true } }
            visit.hung(at: time.now)
            try await until { engine.count("/v1/chat/completions") > probes }
            fleet.health(of: "engine")?.drain(deadline: time.now, at: time.now)
            try await until { told.withLock { $0 } }
            visit.settle(.neutral(.transport), at: time.now)
            group.cancelAll()
            try await group.waitForAll()
        }
        try await client.shutdown()
        try await engine.stop()
    }

    @Test("a sick GPU keeps its member out of use until the page says that it is well")
    func devices() async throws {
        let engine = try await Engine.start("engine"), other = try await Engine.start("other")
        let page = ":\(engine.port)/gpus"
        let one = engine.member(nil, ["dcgm": page, "gpus": "GPU-0"])
        try await Watching.run([one, other.member(nil, ["dcgm": page, "gpus": "1"])]) { watching in
            try await until { watching.phase(of: "engine") == .ready && watching.phase(of: "other") == .ready }
            engine.change { $0.gpus = .plain(200, [:], Page.gpus(xid: 79)) }
            try await until { watching.phase(of: "engine") == .degraded }
            #expect(watching.reason(of: "engine") == .veto)
            // Its probes go well, the other has a GPU of its own, and a page that cannot be read, or lacks the GPU, takes
            // nothing back.
            for page in [Upstream.Answer.plain(500), .plain(200, [:], "DCGM_FI_DEV_XID_ERRORS{gpu=\"1\"} 0\n")] {
                engine.change { $0.gpus = page }
                let failures = watching.failures(.devices).count, probes = engine.count("/v1/chat/completions")
                try await until {
                    watching.failures(.devices).count > failures + 3
                        && engine.count("/v1/chat/completions") > probes + 3
                }
                #expect(watching.phase(of: "engine") == .degraded && watching.phase(of: "other") == .ready)
            }
            engine.change { $0.gpus = .plain(200, [:], Page.gpus()) }
            try await until { watching.phase(of: "engine") == .ready }
        }
        try await engine.stop()
        try await other.stop()
    }
}
#endif
