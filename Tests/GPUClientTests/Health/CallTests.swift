import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Health: what calls say")
struct CallTests {
    @Test("a new replica gets no calls until a probe has made a token")
    func starts() throws {
        let health = try ReplicaHealth("replica", at: ms(0))
        #expect(health.phase == .starting)
        #expect(health.share(at: ms(0)) == 0)
        #expect(health.nextProbe(at: ms(0)).at == ms(0))
        let probe = try #require(health.beginProbe(at: ms(0)))
        #expect(probe.kind == .generation)
        let change = health.probed(probe, .good, at: ms(60))
        #expect(change?.description == "replica: starting → ready (probed)")
        #expect(health.phase == .ready)
    }

    @Test("three failures in a row take it out, two do not")
    func threeInARow() throws {
        let health = try ReplicaHealth.ready()
        try health.fail(2, at: ms(10))
        #expect(health.phase == .ready)
        let change = try health.call(.failure(.connect), at: ms(12))
        #expect(change?.to == .degraded && change?.reason == .failures)
        #expect(health.share(at: ms(100_000)) == 0)
        #expect(health.nextProbe(at: ms(12)).at == ms(12), "probed at once")
    }

    @Test("a success between them starts the row anew")
    func successBetween() throws {
        let health = try ReplicaHealth.ready()
        for round in 1...20 as ClosedRange<Int64> {
            try health.fail(2, at: ms(round * 10))
            try health.call(.success, at: ms(round * 10 + 2))
        }
        #expect(health.phase == .ready)
        #expect(health.status(at: ms(300)).failures == 0)
    }

    @Test("one call that hangs takes it out")
    func hang() throws {
        let health = try ReplicaHealth.ready()
        #expect(try health.hang(at: ms(2_005))?.reason == .hung)
        #expect(health.phase == .degraded)
    }

    @Test(
        "what says nothing of the replica never counts",
        arguments: [
            Outcome.neutral(.rateLimited), .failure(.rateLimited), .failure(.contentFiltered),
            .failure(.quotaExhausted),
            .neutral(.cancelled), .failure(.invalidRequest), .failure(.contextTooLong), .neutral(.timeout), .slow,
        ])
    func neutral(outcome: Outcome) throws {
        let health = try ReplicaHealth.ready()
        try health.fail(2, at: ms(10))
        for _ in 0..<50 { try health.call(outcome, at: ms(12)) }
        #expect(health.phase == .ready)
        try health.fail(1, at: ms(13))
        #expect(health.phase == .degraded, "nor does it end the row")
    }

    private func begin(_ count: Int, _ health: ReplicaHealth) throws -> [StreamID] {
        try (0..<count).map { _ in try #require(health.streams.begin()) }
    }

    @Test("a failure of a call that began before one that went well says nothing")
    func lateFailure() throws {
        let health = try ReplicaHealth.ready()
        let late = try begin(10, health)
        try health.call(.success, at: ms(150))
        for stream in late { health.record(.failure(.timeout), of: stream, at: ms(5_000)) }
        #expect(health.hung(late[0], at: ms(5_000)) == nil)
        #expect(health.phase == .ready)
        try health.fail(3, at: ms(5_000))
        #expect(health.phase == .degraded)
    }

    @Test("a long stream that ends well does not hide failures of calls that began after it")
    func longStream() throws {
        let health = try ReplicaHealth.ready()
        let long = try begin(1, health)
        try health.fail(2, at: ms(1_000))
        health.record(.success, of: long[0], at: ms(1_001))
        try health.fail(1, at: ms(1_002))
        #expect(health.phase == .degraded)
    }

    @Test("quick failures among calls that are under way are no row")
    func underWay() throws {
        let health = try ReplicaHealth.ready()
        var open: [StreamID] = []
        for round in 0..<20 as Range<Int64> {
            open += try begin(3, health)
            try health.fail(2, at: ms(round))
        }
        #expect(health.phase == .ready)
        for stream in open { health.record(.success, of: stream, at: ms(500)) }
        #expect(health.phase == .ready)
    }

    @Test("a row counts in whatever order its failures are told")
    func anyOrder() throws {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
            let health = try ReplicaHealth.ready()
            let calls = try begin(3, health)
            _ = try begin(5, health)
            for (told, index) in order.enumerated() {
                #expect(health.phase == .ready)
                let change = health.record(.failure(.transport), of: calls[index], at: ms(10))
                #expect((change?.to == .degraded) == (told == 2))
            }
        }
    }

    @Test("streams that are cut off after their first content are failures in a row, however well they began")
    func cutOff() throws {
        let health = try ReplicaHealth.ready()
        for round in 0..<3 as Range<Int64> {
            let stream = try begin(1, health)[0]
            health.firstContent(of: stream, at: ms(10 * round))
            #expect(health.phase == .ready)
            health.record(.failure(.truncated), of: stream, at: ms(10 * round + 5))
            health.streams.end(stream, .lost, at: ms(10 * round + 5))
        }
        #expect(health.phase == .degraded)
    }

    @Test("streams that are cut off together, in any order, are a row as well")
    func cutOffTogether() throws {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let health = try ReplicaHealth.ready()
            let streams = try begin(3, health)
            for stream in streams { health.firstContent(of: stream, at: ms(1)) }
            for index in order {
                #expect(health.phase == .ready)
                health.record(.failure(.truncated), of: streams[index], at: ms(2))
            }
            #expect(health.phase == .degraded)
        }
    }

    @Test("a stream that comes to its end, or is under way, ends the row of those that were cut off")
    func cutOffAmongOthers() throws {
        let health = try ReplicaHealth.ready()
        for round in 0..<20 as Range<Int64> {
            let streams = try begin(4, health)
            for stream in streams { health.firstContent(of: stream, at: ms(round)) }
            for stream in streams[..<2] { health.record(.failure(.truncated), of: stream, at: ms(round)) }
            // One comes to its end, and of the other somebody had enough.
            if round.isMultiple(of: 2) { health.record(.success, of: streams[2], at: ms(round)) }
            health.record(.neutral(.cancelled), of: streams[3], at: ms(round))
        }
        #expect(health.phase == .ready)
    }

    @Test("streams that somebody had enough of do not end the row of those that were cut off")
    func cancelledAmongThem() throws {
        let health = try ReplicaHealth.ready()
        for round in 0..<3 as Range<Int64> {
            let streams = try begin(4, health)
            for stream in streams { health.firstContent(of: stream, at: ms(round)) }
            for stream in streams[1...] { health.record(.neutral(.cancelled), of: stream, at: ms(round)) }
            #expect(health.phase == .ready)
            health.record(.failure(.truncated), of: streams[0], at: ms(round))
        }
        #expect(health.phase == .degraded)
    }

    @Test("the first content of a call makes up for earlier ones that have none, and not for a row of broken ones")
    func firstContent() throws {
        let health = try ReplicaHealth.ready()
        let late = try begin(5, health), streams = try begin(3, health)
        health.firstContent(of: streams[0], at: ms(1))
        for stream in late { health.record(.failure(.timeout), of: stream, at: ms(5_000)) }
        #expect(health.hung(late[0], at: ms(5_000)) == nil)
        #expect(health.phase == .ready)
        for stream in streams[1...] { health.firstContent(of: stream, at: ms(5_000)) }
        for stream in streams { health.record(.failure(.truncated), of: stream, at: ms(5_001)) }
        #expect(health.phase == .degraded)
    }

    @Test("a replica that a probe calls well, and whose streams break again, needs 2, then 4 probes")
    func brokenAgain() throws {
        let health = try ReplicaHealth.ready()
        var now: Int64 = 10
        for needed in [1, 2, 4] {
            for _ in 0..<3 {
                let stream = try begin(1, health)[0]
                health.firstContent(of: stream, at: ms(now))
                health.record(.failure(.truncated), of: stream, at: ms(now))
            }
            #expect(health.phase == .degraded)
            for probe in 1...needed {
                now = health.nextProbe(at: ms(now)).at.nanoseconds / 1_000_000
                try health.probe(.good, at: ms(now))
                #expect(health.phase == (probe == needed ? .ready : .degraded), "\(probe) of \(needed)")
            }
        }
    }

    @Test("results of calls from before the last change of phase say nothing")
    func olderPhase() throws {
        let health = try ReplicaHealth.ready()
        let ready = try begin(5, health)
        try health.fail(3, at: ms(100))
        let degraded = try begin(5, health)
        try health.probe(.good, at: ms(200))
        for stream in ready + degraded { health.record(.failure(.transport), of: stream, at: ms(300)) }
        #expect(health.hung(degraded[4], at: ms(300)) == nil)
        #expect(health.phase == .ready)
        health.record(.success, of: degraded[4], at: ms(300))
        try health.fail(2, at: ms(301))
        #expect(health.phase == .ready, "nor are they part of a row")
    }

    @Test("a clock that goes back changes nothing for better or worse")
    func clockBack() throws {
        let health = try ReplicaHealth.ready()
        try health.call(.success, at: ms(5_001))
        try health.fail(3, at: ms(10))
        #expect(health.phase == .degraded)
        #expect(health.nextProbe(at: ms(20)).at == ms(5_001))
        #expect(health.status(at: ms(20)).since == ms(5_001))
        try health.probe(.good, at: ms(30))
        #expect(health.phase == .ready)
    }

    @Test("a false alarm costs one probe and no new ramp; a replica that was sick begins its ramp anew")
    func falseAlarm() throws {
        let health = try ReplicaHealth.ready()
        #expect(health.share(at: ms(15_000)) == 0.5)
        try health.fail(3, at: ms(60_000))
        try health.probe(.good, at: ms(60_050))
        #expect(health.share(at: ms(60_050)) == 1)
        try health.call(.success, at: ms(60_052))

        try health.fail(3, at: ms(61_000))
        try health.probe(.failed(.serverError), at: ms(61_000))
        try health.probe(.good, at: ms(61_250))
        #expect(health.phase == .ready)
        #expect(health.share(at: ms(61_250)) == 0.1)
    }

    @Test("if its calls fail again before one succeeds, it takes 2, 4 and then 8 probes")
    func relapses() throws {
        let health = try ReplicaHealth.ready()
        var now: Int64 = 10
        for needed in [1, 2, 4, 8, 8] {
            try health.fail(3, at: ms(now))
            #expect(health.phase == .degraded)
            for probe in 1...needed {
                now = health.nextProbe(at: ms(now)).at.nanoseconds / 1_000_000
                try health.probe(.good, at: ms(now))
                #expect(health.phase == (probe == needed ? .ready : .degraded), "\(probe) of \(needed)")
            }
        }
        #expect(health.share(at: ms(now)) == 0.1, "and its ramp begins anew")
        try health.call(.success, at: ms(now))
        try health.fail(3, at: ms(now + 1))
        try health.probe(.good, at: ms(now + 1))
        #expect(health.phase == .ready, "one call that succeeded makes up for it")
    }

    @Test("the ramp is Envoy's")
    func ramp() throws {
        let line = try ReplicaHealth.ready()
        for (at, share) in [(-5, 0.1), (0, 0.1), (1_500, 0.1), (6_000, 0.2), (27_000, 0.9), (30_000, 1), (900_000, 1)] {
            #expect(abs(line.share(at: ms(Int64(at))) - share) < 1e-12, "at \(at) ms")
        }
        let bent = try ReplicaHealth.ready { $0.aggression = 2 }
        #expect(abs(bent.share(at: ms(7_500)) - 0.5) < 1e-12)
        let none = try ReplicaHealth.ready { $0.ramp = .zero }
        #expect(none.share(at: ms(0)) == 1)
        try none.update(.init { $0.ramp = .seconds(10) })
        #expect(none.share(at: ms(5_000)) == 0.5, "a change holds at once")
    }
}
