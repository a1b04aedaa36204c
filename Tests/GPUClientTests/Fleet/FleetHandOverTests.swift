import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

/// Calls that go on elsewhere, because their replica is to be left.
extension FleetTroubleTests {
    @Test func callsGoOnElsewhereWhenADrainIsOver() throws {
        let fleet = try fleet(1) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let told = Locked(0)
        let first = try fleet.place(call(), at: after(1)), second = try fleet.place(call(), at: after(1))
        first.whenHandedOver { told.withLock { $0 += 1 } }
        second.whenHandedOver { told.withLock { $0 += 1 } }
        let last = try fleet.place(call(), at: after(1))
        last.whenHandedOver { told.withLock { $0 += 100 } }
        fleet.health(of: "gpu-0")?.drain(deadline: after(30), at: after(2))
        #expect(fleet.handOver(at: after(29)) == 0)
        last.settle(.success, at: after(29))
        #expect(fleet.handOver(at: after(30)) == 2 && told.withLock { $0 } == 2)
        #expect(fleet.handOver(at: after(31)) == 0, "each is told once")
        first.settle(.neutral(.transport), at: after(31))
        second.settle(.success, at: after(31))
        #expect(
            fleet.standings(at: after(31))[0].drain?.description
                == "drained: of 3 streams 2 finished, 1 handed over, 0 lost, 0 left")
    }

    @Test func ofADeadReplicaTheCallsGoOnElsewhereThatHaveNoContent() throws {
        let fleet = try fleet(2) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let told = Locked<[Int]>([])
        let speaks = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        let waits = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        speaks.whenHandedOver { told.withLock { $0.append(0) } }
        waits.whenHandedOver { told.withLock { $0.append(1) } }
        speaks.firstToken(at: after(2))
        fleet.health(of: "gpu-0")?.declareDead(at: after(3))
        fleet.handOver(at: after(3))
        #expect(told.withLock { $0 } == [1])
    }

    @Test func whoComesBackIsWhoItWas() throws {
        let fleet = try fleet(3) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let place = try fleet.place(call(), avoiding: ["gpu-1", "gpu-2"], at: after(1)), all = fleet.members
        let health = fleet.health(of: "gpu-0")
        fleet.health(of: "gpu-1")?.drain(deadline: after(100), at: after(2))
        try fleet.update([all[2]], at: after(3))
        #expect(health?.phase == .draining && fleet.leaving(at: after(3)).count == 1)
        try fleet.update(all, at: after(4))
        #expect(fleet.health(of: "gpu-0") === health && health?.phase == .starting)
        #expect(fleet.health(of: "gpu-1")?.phase == .draining, "a person had drained it")
        #expect(fleet.leaving(at: after(4)).isEmpty)
        #expect(fleet.standings(at: after(4)).first { $0.member.name == "gpu-0" }?.calls == 1)
        place.settle(.success, at: after(5))
        // Another process of that name is another one.
        try fleet.update([Member("gpu-0", address: "10.1.1.1:8000"), all[2]], at: after(6))
        #expect(fleet.health(of: "gpu-0") !== health)
    }

    @Test func aLargeFleetIsReplacedAsItsCallsEnd() throws {
        let fleet = try Fleet("llama", members: (0..<200).map { Member("old-\($0)", address: "\($0)") }, at: after(0))
        var busy: [FleetTests.Box] = []
        for number in 0..<200 {
            let others = fleet.members.map(\.name).filter { $0 != "old-\(number)" }
            busy.append(FleetTests.Box(try fleet.place(call(), avoiding: others, at: after(0))))
        }
        let new = (0..<200).map { Member("new-\($0)", address: "n\($0)") }
        try fleet.update(new, at: after(1))
        #expect(fleet.members.count == 56 && fleet.leaving(at: after(1)).count == 200)
        busy.removeLast(100)
        try fleet.update(new, at: after(2))
        #expect(fleet.members.count == 156)
        busy = []
        try fleet.update(new, at: after(3))
        #expect(fleet.members.count == 200 && fleet.leaving(at: after(3)).isEmpty)
    }

    @Test func whatMayNotBeMadeAgainStays() throws {
        let fleet = try fleet(1) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let once = Call(tokens: .estimate(input: 100, maxOutput: 100), idempotency: .unknown), told = Locked(false)
        let place = try fleet.place(once, at: after(1))
        place.whenHandedOver { told.withLock { $0 = true } }
        fleet.health(of: "gpu-0")?.drain(deadline: after(2), at: after(2))
        #expect(fleet.handOver(at: after(3)) == 0 && !told.withLock { $0 })
        place.settle(.success, at: after(4))
    }

    @Test func ofAReplicaThatHangsTheCallsGoOnElsewhereThatWaitThere() throws {
        let fleet = try fleet(2) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let told = Locked<[Int]>([])
        let speaks = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        let waits = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        let hangs = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1))
        speaks.whenHandedOver { told.withLock { $0.append(0) } }
        waits.whenHandedOver { told.withLock { $0.append(1) } }
        speaks.firstToken(at: after(2))
        hangs.hung(at: after(9))
        hangs.settle(.failure(.timeout), at: after(9))
        fleet.handOver(at: after(9))
        #expect(told.withLock { $0.isEmpty }, "one call alone may be wrong")
        let health = try #require(fleet.health(of: "gpu-0"))
        for second in [11.0, 14] {
            #expect(told.withLock { $0.isEmpty })
            let probe = try #require(health.beginProbe(at: after(second - 1)))
            health.probed(probe, .failed(.timeout), at: after(second))
            fleet.handOver(at: after(second))
        }
        #expect(told.withLock { $0 } == [1])
    }

    @Test func whereMostAreSlowNobodyIsStuck() throws {
        let fleet = try fleet(3) { $0.health = .init() }
        try heal(fleet, at: after(0))
        let place = try fleet.place(call(), avoiding: ["gpu-1", "gpu-2"], at: after(1)), told = Locked(false)
        place.whenHandedOver { told.withLock { $0 = true } }
        for name in ["gpu-0", "gpu-1"] {
            let health = try #require(fleet.health(of: name)), stream = try #require(health.streams.begin())
            health.hung(stream, at: after(9))
            for second in [11.0, 14] {
                let probe = try #require(health.beginProbe(at: after(second - 1)))
                health.probed(probe, .failed(.timeout), at: after(second))
            }
        }
        fleet.handOver(at: after(14))
        #expect(!told.withLock { $0 })
        place.settle(.success, at: after(15))
    }

    @Test func aMemberThatIsWantedNoMoreHandsItsCallsOverInTime() throws {
        let fleet = try fleet(2) {
            $0.health = .init()
            $0.leaveLimit = .seconds(20)
        }
        try heal(fleet, at: after(0))
        let place = try fleet.place(call(), avoiding: ["gpu-1"], at: after(1)), told = Locked(false)
        place.whenHandedOver { told.withLock { $0 = true } }
        try fleet.update([fleet.members[1]], at: after(10))
        #expect(fleet.leaving(at: after(10)).map(\.member.name) == ["gpu-0"])
        #expect(fleet.leaving(at: after(10)).first?.drain?.left == 1)
        fleet.handOver(at: after(29))
        #expect(!told.withLock { $0 })
        fleet.handOver(at: after(30))
        #expect(told.withLock { $0 })
        place.settle(.neutral(.transport), at: after(30))
        #expect(fleet.leaving(at: after(30)).isEmpty)
    }
}
