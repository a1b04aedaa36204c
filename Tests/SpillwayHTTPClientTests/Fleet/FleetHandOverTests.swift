#if HTTPClientSupport
import AsyncHTTPClient
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

/// Calls that go on at another replica, because their own must be left.
extension FleetVisitTests {
    /// A fleet of two names of one server, of which the one that is asked first is then drained, at once.
    private func leave(_ fleet: Fleet, _ time: ManualTime) throws {
        let name = try #require(fleet.standings(at: time.now).first { $0.calls > 0 }).member.name
        fleet.health(of: name)?.drain(deadline: time.now, at: time.now)
        #expect(fleet.handOver(at: time.now) == 1)
    }

    private func moved(_ fleet: Fleet) -> [String] {
        fleet.standings(at: .zero).compactMap(\.drain?.description)
    }

    @Test("a stream that waits goes on at another replica when its own must be left")
    func handOverWaiting() async throws {
        let time = ManualTime()
        try await withUpstream([.stream([": alive\n\n"], .never), .stream([Wire.text("Hello"), Wire.end])]) {
            upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), member("gpu-2", upstream), health: true, time: time)
            let chat = try ChatClient(
                fleet: fleet, http: PolicyHTTPClient(client, policy: try policy(retries: 1, time: time), time: time))
            var arrivals = upstream.arrivals.makeAsyncIterator()
            let asking = Task {
                let stream = try await chat.stream(hello)
                var text = ""
                for try await chunk in stream { text += chunk.content }
                return (text, await stream.report)
            }
            _ = await arrivals.next()
            try leave(fleet, time)
            let (text, report) = try await asking.value
            #expect(text == "Hello")
            #expect(Set(report.attempts.compactMap(\.replica)) == ["gpu-1", "gpu-2"])
            #expect(moved(fleet) == ["drained: of 1 streams 0 finished, 1 handed over, 0 lost, 0 left"])
        }
    }

    @Test("a stream goes on at another replica where that can continue it, and else stays to its end")
    func handOverFlowing() async throws {
        let time = ManualTime()
        for recovery in [StreamRecovery.restart, .fail] {
            try await withUpstream([
                .stream([Wire.text("Hel")], .never),
                .stream([Wire.text("Hello"), Wire.end]),
            ]) { upstream, client in
                let fleet = try fleet(member("gpu-1", upstream), member("gpu-2", upstream), health: true, time: time)
                let chat = try ChatClient(
                    fleet: fleet, http: PolicyHTTPClient(client, policy: try policy(retries: 1, time: time), time: time)
                )
                let stream = try await chat.stream(hello, recovery: recovery)
                try leave(fleet, time)
                if recovery == .fail { try await upstream.finish([Wire.text("lo"), Wire.end]) }
                var text = ""
                for try await chunk in stream { text += chunk.content }
                #expect(text == "Hello")
                let report = await stream.report
                #expect(report.attempts.count == (recovery == .fail ? 1 : 2))
                let (finished, handedOver) = recovery == .fail ? (1, 0) : (0, 1)
                #expect(
                    moved(fleet) == [
                        "drained: of 1 streams \(finished) finished, \(handedOver) handed over, 0 lost, 0 left"
                    ])
            }
        }
    }

    @Test("in the last attempt that a policy makes, a stream stays to its end, whatever its recovery")
    func handOverOfTheLast() async throws {
        let time = ManualTime()
        try await withUpstream([.stream([Wire.text("Hel")], .never)]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), member("gpu-2", upstream), health: true, time: time)
            let chat = try ChatClient(
                fleet: fleet, http: PolicyHTTPClient(client, policy: try policy(retries: 0, time: time), time: time))
            let stream = try await chat.stream(hello, recovery: .restart)
            let name = try #require(fleet.standings(at: time.now).first { $0.calls > 0 }).member.name
            fleet.health(of: name)?.drain(deadline: time.now, at: time.now)
            #expect(fleet.handOver(at: time.now) == 0)
            try await upstream.finish([Wire.text("lo"), Wire.end])
            var text = ""
            for try await chunk in stream { text += chunk.content }
            #expect(text == "Hello")
            #expect(moved(fleet) == ["drained: of 1 streams 1 finished, 0 handed over, 0 lost, 0 left"])
        }
    }

    @Test("a whole answer that has not come is asked for at another replica when its own must be left")
    func handOverWhole() async throws {
        let time = ManualTime()
        try await withUpstream([.stream([], .never), .plain(200, [:], Self.answer)]) { upstream, client in
            let fleet = try fleet(member("gpu-1", upstream), member("gpu-2", upstream), health: true, time: time)
            let chat = try ChatClient(
                fleet: fleet, http: PolicyHTTPClient(client, policy: try policy(retries: 1, time: time), time: time))
            var arrivals = upstream.arrivals.makeAsyncIterator()
            let asking = Task { try await chat.complete(hello).content }
            _ = await arrivals.next()
            try leave(fleet, time)
            #expect(try await asking.value == "Hello")
            #expect(moved(fleet) == ["drained: of 1 streams 0 finished, 1 handed over, 0 lost, 0 left"])
        }
    }

    @Test("one that is wanted no more is watched until its last call has ended, which goes on elsewhere when it dies")
    func handOverOfLeaving() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        let told = Locked(false)
        try await Watching.run([one.member()]) { watching in
            try await until { watching.phase(of: "one") == .ready }
            let visit = try watching.fleet.visit(Call(idempotency: .idempotent), at: SystemTime().now)
            visit.whenHandedOver { told.withLock { $0 = true } }
            let left = try #require(watching.fleet.health(of: "one"))
            // Another process of the same name, so that only its health tells which of them died.
            let successor = Member("one", address: two.member().address)
            try watching.fleet.update([successor], at: SystemTime().now)
            try await until { watching.phase(of: "one") == .ready && one.count("/health") > 0 }
            #expect(left.phase == .draining && !told.withLock { $0 })
            try await one.stop()
            try await until { told.withLock { $0 } }
            #expect(left.phase == .dead && watching.phase(of: "one") == .ready)
            #expect(watching.fleet.leaving(at: SystemTime().now).map(\.member) == [one.member()])
            visit.settle(.neutral(.transport), at: SystemTime().now)
            #expect(left.streams.running == 0 && left.streams.drainReport?.handedOver == 1)

            // Then nobody asks for it any more.
            try await one.restart()
            var asked = -1
            while asked != one.count("/health") {
                asked = one.count("/health")
                let scrapes = two.count("/metrics")
                try await until { two.count("/metrics") > scrapes + 30 }
            }
        }
        try await one.stop()
        try await two.stop()
    }

    @Test("one that comes back before its last call has ended is watched as before")
    func backFromLeaving() async throws {
        let one = try await Engine.start("one"), two = try await Engine.start("two")
        try await Watching.run([one.member(), two.member()]) { watching in
            try await until { watching.phase(of: "one") == .ready && watching.phase(of: "two") == .ready }
            let visit = try watching.fleet.visit(Call(), avoiding: ["two"], at: SystemTime().now)
            let health = try #require(watching.fleet.health(of: "one"))
            try watching.fleet.update([two.member()], at: SystemTime().now)
            try await until { one.count("/health") > 0 }
            try watching.fleet.update([one.member(), two.member()], at: SystemTime().now)
            #expect(watching.fleet.health(of: "one") === health)
            try await until { watching.phase(of: "one") == .ready }
            let scrapes = one.count("/metrics")
            try await until { one.count("/metrics") > scrapes + 2 }
            visit.settle(.success, at: SystemTime().now)
        }
        try await one.stop()
        try await two.stop()
    }

    @Test("a watch sees to it that calls go on elsewhere")
    func handOverWatched() async throws {
        let engine = try await Engine.start("engine")
        let fleet = try Fleet("fleet", .init { $0.health = .quick }, members: [engine.member()], at: SystemTime().now)
        probe(fleet, "engine", .system)
        let told = Locked(false), visit = try fleet.visit(Call(idempotency: .idempotent), at: SystemTime().now)
        visit.whenHandedOver { told.withLock { $0 = true } }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .underPolicy)
        let watch = try FleetWatch(fleet, .quick, client: client)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch.run() }
            fleet.health(of: "engine")?.drain(deadline: SystemTime().now, at: SystemTime().now)
            try await until { told.withLock { $0 } }
            group.cancelAll()
            try await group.waitForAll()
        }
        visit.settle(.neutral(.transport), at: SystemTime().now)
        #expect(fleet.standings(at: SystemTime().now)[0].drain?.handedOver == 1)
        try await client.shutdown()
        try await engine.stop()
    }
}
#endif
