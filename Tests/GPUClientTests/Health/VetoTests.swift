import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Health: vetoes, by hand, and bad input")
struct VetoTests {
    @Test("a veto of the device holds however well probes go, until it is lifted")
    func veto() throws {
        let health = try ReplicaHealth.ready()
        let change = health.veto(.xid(79), at: ms(1_000))
        #expect(change?.to == .degraded && change?.reason == .veto)
        for _ in 0..<20 { try health.probe(.good, at: health.nextProbe(at: ms(1_000)).at) }
        #expect(health.phase == .degraded)
        #expect(health.status(at: ms(0)).vetoes.map(\.description) == ["device: xid 79"])
        let now = health.nextProbe(at: ms(0)).at
        health.lift(.device, at: now)
        #expect(health.phase == .degraded, "a probe decides")
        try health.probe(.good, at: now)
        #expect(health.phase == .ready)
        #expect(health.share(at: now) == 0.1)
    }

    @Test("each source has one veto, and all must be lifted")
    func sources() throws {
        let health = try ReplicaHealth.ready()
        health.veto(.xid(63), at: ms(1))
        health.veto(.rowRemap, at: ms(2))
        health.veto(.byHand("maintenance"), at: ms(3))
        #expect(health.status(at: ms(3)).vetoes == [.rowRemap, .byHand("maintenance")])
        health.lift(.device, at: ms(4))
        try health.probe(.good, at: ms(4))
        #expect(health.phase == .degraded)
        health.lift(.byHand, at: ms(5))
        health.lift(.byHand, at: ms(5))
        try health.probe(.good, at: health.nextProbe(at: ms(5)).at)
        #expect(health.phase == .ready)
    }

    @Test("a replica that is starting, draining or dead stays so under a veto")
    func others() throws {
        let starting = try ReplicaHealth("replica", at: ms(0))
        #expect(starting.veto(.xid(48), at: ms(0)) == nil)
        try starting.probe(.good, at: ms(0))
        #expect(starting.phase == .starting)
        let dead = try ReplicaHealth.ready()
        dead.declareDead(at: ms(1))
        #expect(dead.veto(.xid(48), at: ms(2)) == nil)
        try dead.probe(.alive, at: dead.nextProbe(at: ms(2)).at)
        try dead.probe(.good, at: dead.nextProbe(at: ms(2)).at)
        #expect(dead.phase == .starting)
    }

    @Test("by hand: dead, and begun anew")
    func byHand() throws {
        let health = try ReplicaHealth.ready()
        #expect(health.declareDead(at: ms(1))?.reason == .byHand)
        #expect(health.declareDead(at: ms(1)) == nil)
        #expect(health.streams.begin() == nil)
        #expect(health.restart(at: ms(2))?.to == .starting)
        #expect(health.streams.begin() != nil)
        try health.probe(.good, at: ms(2))
        #expect(health.phase == .ready)
    }

    @Test("a bad field is refused by name, and the last good configuration stays")
    func configuration() throws {
        let health = try ReplicaHealth.ready()
        let before = health.configuration
        let cases: [(String, (inout ReplicaHealth.Configuration) -> Void)] = [
            ("failures", { $0.failures = 0 }), ("failures", { $0.failures = 101 }),
            ("silences", { $0.silences = 0 }),
            ("firstToken", { $0.firstToken = .zero }),
            ("dangerLine", { $0.dangerLine = 0 }), ("dangerLine", { $0.dangerLine = .nan }),
            ("safeLine", { $0.safeLine = 0.96 }), ("safeLine", { $0.safeLine = .nan }),
            ("verifyInterval", { $0.verifyInterval = .zero }),
            ("probeInterval", { $0.probeInterval = .milliseconds(249) }),
            ("maximumInterval", { $0.maximumInterval = .seconds(9) }),
            ("jitter", { $0.jitter = -0.1 }), ("jitter", { $0.jitter = 1.1 }),
            ("probeLease", { $0.probeLease = .seconds(1) }),
            ("startLimit", { $0.startLimit = .zero }),
            ("ramp", { $0.ramp = .seconds(-1) }),
            ("rampFrom", { $0.rampFrom = 0 }), ("rampFrom", { $0.rampFrom = 1.1 }),
            ("aggression", { $0.aggression = 0 }), ("aggression", { $0.aggression = .infinity }),
        ]
        for (field, change) in cases {
            let error = #expect(throws: ConfigurationError.self) { try health.update(.init(change)) }
            #expect(error?.field == field)
            #expect(throws: ConfigurationError.self) { try ReplicaHealth("r", .init(change), at: ms(0)) }
        }
        #expect(health.configuration == before)
        #expect(throws: ConfigurationError.self) { try ReplicaHealth("", at: ms(0)) }
    }

    @Test("an observer may use the health that it observes")
    func reentrant() throws {
        final class Restarter: Observer {
            nonisolated(unsafe) weak var health: ReplicaHealth?
            let seen = RecordingObserver()
            func changed(_ transition: Transition) {
                seen.changed(transition)
                if transition.to == "dead" { health?.restart(at: transition.at) }
            }
        }
        let restarter = Restarter()
        let health = try ReplicaHealth.ready(observer: restarter)
        restarter.health = health
        health.declareDead(at: ms(1))
        #expect(health.phase == .starting)
        #expect(restarter.seen.transitions.map(\.to) == ["ready", "dead", "starting"])
    }
}
