import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Health: what probes say")
struct ProbeTests {
    @Test("there is one probe at a time, and only when it is due")
    func one() throws {
        let health = try ReplicaHealth.ready()
        #expect(health.beginProbe(at: ms(9_999)) == nil)
        let first = try #require(health.beginProbe(at: ms(10_000)))
        #expect(health.beginProbe(at: ms(10_001)) == nil)
        #expect(health.nextProbe(at: ms(10_001)).at == ms(20_000), "the end of its lease")
        health.probed(first, .good, at: ms(10_050))
        #expect(health.nextProbe(at: ms(10_050)).at == ms(20_050))
        #expect(health.probed(first, .silent, at: ms(10_060)) == nil, "told once")
        #expect(health.status(at: ms(10_060)).missedProbes == 0)
    }

    @Test("a probe that nobody ends is lost after its lease, and what it says later counts for nothing")
    func lost() throws {
        let health = try ReplicaHealth.ready()
        let lost = try #require(health.beginProbe(at: ms(10_000)))
        #expect(health.nextProbe(at: ms(19_999)).at == ms(20_000))
        #expect(health.phase == .ready)
        #expect(health.nextProbe(at: ms(20_000)).at == ms(20_000))
        #expect(health.phase == .degraded)
        #expect(health.probed(lost, .good, at: ms(20_001)) == nil)
        #expect(health.phase == .degraded)
        try health.probe(.good, at: ms(20_001))
        #expect(health.phase == .ready)
    }

    @Test("a probe that was not made says nothing, and another one is due")
    func abandoned() throws {
        let health = try ReplicaHealth.ready()
        let probe = try #require(health.beginProbe(at: ms(10_000)))
        health.abandon(probe, at: ms(10_010))
        #expect(health.nextProbe(at: ms(10_010)).at == ms(10_000))
        #expect(health.phase == .ready)
        #expect(health.probed(probe, .silent, at: ms(10_020)) == nil)
        try health.probe(.good, at: ms(10_020))
    }

    @Test("a probe that began before the last change of phase says nothing")
    func stale() throws {
        let health = try ReplicaHealth.ready()
        let probe = try #require(health.beginProbe(at: ms(10_000)))
        try health.fail(3, at: ms(10_001))
        #expect(health.beginProbe(at: ms(10_002)) == nil, "never two at once")
        #expect(health.probed(probe, .good, at: ms(10_100)) == nil)
        #expect(health.phase == .degraded)
        #expect(health.nextProbe(at: ms(10_100)).at == ms(10_001), "the next is due at once")
        try health.probe(.good, at: ms(10_100))
        #expect(health.phase == .ready)
    }

    @Test("who answers but makes no token is degraded and not dead, for ever")
    func aliveNotReady() throws {
        let health = try ReplicaHealth.ready()
        for _ in 0..<200 {
            let now = health.nextProbe(at: ms(0)).at
            try health.probe(.failed(.serverError), at: now)
            #expect(health.phase != .dead)
        }
        #expect(health.phase == .degraded)
        #expect(health.status(at: ms(0)).reason == .notReady)
    }

    @Test("a socket that answers is not readiness")
    func socket() throws {
        let health = try ReplicaHealth("replica", at: ms(0))
        for _ in 0..<50 { try health.probe(.alive, at: health.nextProbe(at: ms(0)).at) }
        #expect(health.phase == .starting)
    }

    @Test("a token that comes late, or not in time, is as bad as a call that hangs")
    func late() throws {
        for result in [ProbeResult.generated(firstToken: .milliseconds(2_001)), .failed(.timeout)] {
            let health = try ReplicaHealth.ready()
            let change = try health.probe(result, at: ms(10_000))
            #expect(change?.to == .degraded && change?.reason == .hung)
        }
        let health = try ReplicaHealth.ready()
        #expect(try health.probe(.generated(firstToken: .seconds(2)), at: ms(10_000)) == nil)
    }

    @Test("a full KV cache takes it out, until there is room again")
    func memory() throws {
        func found(_ use: Double) -> ProbeResult { .generated(firstToken: .milliseconds(50), kvUse: use) }
        let health = try ReplicaHealth.ready()
        #expect(try health.probe(found(0.949), at: ms(10_000)) == nil)
        #expect(try health.probe(found(0.95), at: ms(20_000))?.reason == .memory)
        #expect(try health.probe(found(0.92), at: ms(20_000)) == nil, "not yet")
        #expect(try health.probe(found(0.89), at: ms(20_250))?.to == .ready)
        #expect(try health.probe(found(.nan), at: ms(40_000)) == nil, "what is no number is not known")
        #expect(try health.probe(found(-1), at: ms(50_000)) == nil)
        let blind = try ReplicaHealth.ready { $0.dangerLine = 1.1 }
        #expect(try blind.probe(found(1), at: ms(10_000)) == nil)
    }

    @Test("one whose memory was full, and of which nobody knows whether it still is, comes back a minute later")
    func memoryUnknown() throws {
        let health = try ReplicaHealth.ready(), unknown = ProbeResult.generated(firstToken: .milliseconds(50))
        try health.probe(.generated(firstToken: .milliseconds(50), kvUse: 0.99), at: ms(10_000))
        var now = ms(10_000)
        while health.phase == .degraded, now < ms(200_000) {
            now = health.nextProbe(at: now).at
            try health.probe(unknown, at: now)
        }
        #expect(health.phase == .ready && now >= ms(70_000) && now < ms(90_000))
    }

    @Test("a probe that it refuses as wrong means that it serves something else now")
    func misfit() throws {
        for cause in [Outcome.Cause.invalidRequest, .authentication, .contextTooLong] {
            let health = try ReplicaHealth.ready()
            for _ in 0..<3 { try health.probe(.failed(cause), at: health.nextProbe(at: ms(0)).at) }
            #expect(health.phase == .degraded)
            #expect(health.status(at: ms(0)).reason == .notReady)
            for _ in 0..<50 { try health.probe(.failed(cause), at: health.nextProbe(at: ms(0)).at) }
            #expect(health.phase == .degraded, "it answers")
        }
    }

    @Test("a probe that was refused for its quota says no more than that somebody answers")
    func refused() throws {
        let health = try ReplicaHealth.ready()
        for _ in 0..<20 { try health.probe(.failed(.rateLimited), at: health.nextProbe(at: ms(0)).at) }
        #expect(health.phase == .ready)
    }

    @Test("three silences are dead; from there it comes back through starting, and with a new ramp")
    func dead() throws {
        let seen = RecordingObserver()
        let health = try ReplicaHealth.ready(observer: seen)
        try health.probe(.silent, at: ms(10_000))
        try health.probe(.silent, at: ms(10_250))
        #expect(health.phase == .ready)
        #expect(try health.probe(.silent, at: ms(10_750))?.reason == .unreachable)
        #expect(health.phase == .dead)
        #expect(health.nextProbe(at: ms(10_750)).kind == .liveness)
        #expect(try health.probe(.good, at: ms(20_750))?.to == .starting, "even when it made a token")
        #expect(health.nextProbe(at: ms(20_750)).at == ms(20_750))
        #expect(try health.probe(.good, at: ms(20_750))?.to == .ready)
        #expect(health.share(at: ms(20_750)) == 0.1)
        #expect(seen.transitions.map(\.to) == ["ready", "dead", "starting", "ready"])
        #expect(seen.transitions[1] == Transition(gate: "replica", from: "ready", to: "dead", at: ms(10_750)))
    }

    @Test("a dead one is probed at longer and longer intervals, a degraded one soon")
    func backoff() throws {
        func gaps(_ health: ReplicaHealth, _ result: ProbeResult, _ count: Int) throws -> [Duration] {
            try (0..<count).map { _ in
                let now = health.nextProbe(at: ms(0)).at
                try health.probe(result, at: now)
                return now.duration(to: health.nextProbe(at: ms(0)).at)
            }
        }
        let dead = try ReplicaHealth.ready()
        dead.declareDead(at: ms(0))
        #expect(try gaps(dead, .silent, 5) == [10, 20, 40, 60, 60].map { .seconds($0) })
        let degraded = try ReplicaHealth.ready()
        try degraded.hang(at: ms(5))
        #expect(
            try gaps(degraded, .failed(.serverError), 8)
                == [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].map { .milliseconds($0) })
        #expect(try gaps(dead, .silent, 500).allSatisfy { $0 == .seconds(60) }, "and no interval overflows")
    }

    @Test("intervals are spread at random, by the seed")
    func jitter() throws {
        func gaps(_ seed: UInt64) throws -> [Duration] {
            let health = try ReplicaHealth("replica", at: ms(0), random: .seeded(seed))
            return try (0..<20).map { _ in
                let now = health.nextProbe(at: ms(0)).at
                try health.probe(.good, at: now)
                return now.duration(to: health.nextProbe(at: now).at)
            }
        }
        let first = try gaps(1)
        #expect(first.allSatisfy { $0 >= .seconds(10) && $0 <= .seconds(12) })
        #expect(Set(first).count > 15)
        #expect(try gaps(1) == first)
        #expect(try gaps(2) != first)
    }

    @Test("a start that nobody answers ends; one that is answered takes as long as it takes")
    func startLimit() throws {
        let gone = try ReplicaHealth("replica", at: ms(0))
        var now = ms(0)
        while now < ms(899_000) {
            try gone.probe(.silent, at: now)
            #expect(gone.phase == .starting)
            now = gone.nextProbe(at: now).at
        }
        _ = gone.nextProbe(at: ms(900_000))
        #expect(gone.phase == .dead)
        #expect(gone.status(at: ms(900_000)).reason == .startLimit)

        let slow = try ReplicaHealth("replica", at: ms(0))
        for _ in 0..<200 { try slow.probe(.failed(.overloaded), at: slow.nextProbe(at: ms(0)).at) }
        _ = slow.nextProbe(at: ms(3_600_000))
        #expect(slow.phase == .starting)
        for _ in 0..<3 { try slow.probe(.silent, at: slow.nextProbe(at: ms(3_600_000)).at) }
        #expect(slow.phase == .dead, "but not when it goes away again")
    }
}
