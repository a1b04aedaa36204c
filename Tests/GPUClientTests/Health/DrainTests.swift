import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Draining")
struct DrainTests {
    @Test("of 50 running streams none is lost: they end, or are handed over at the deadline")
    func fifty() throws {
        let old = try ReplicaHealth.ready(), other = try ReplicaHealth.ready()
        var ends: [StreamID: Int64] = [:]
        for number in 0..<50 as Range<Int64> {
            // Every second one would run past the deadline.
            ends[try #require(old.streams.begin())] = number % 2 == 0 ? 1_000 + number * 500 : 100_000 + number
        }
        #expect(old.drain(deadline: ms(30_000), at: ms(500)).running == 50)
        #expect(old.phase == .draining)
        #expect(old.share(at: ms(500)) == 0)
        #expect(old.streams.begin() == nil)
        var moved = 0
        for now in stride(from: 600 as Int64, through: 40_000, by: 100) {
            for (stream, end) in ends where end <= now {
                #expect(old.streams.end(stream, .finished, at: ms(now)))
                ends[stream] = nil
            }
            for stream in old.streams.mustHandOver(at: ms(now)) {
                #expect(now >= 30_000)
                #expect(other.streams.begin() != nil)
                #expect(old.streams.end(stream, .handedOver, at: ms(now)))
                ends[stream] = nil
                moved += 1
            }
        }
        let report = try #require(old.streams.drainReport)
        #expect(
            report.description == "drained: of 50 streams 25 finished, 25 handed over, 0 lost, 0 left")
        #expect(report.isFinal && report.ended == ms(30_000))
        #expect(moved == 25 && ends.isEmpty && other.streams.running == 25)
    }

    @Test("a replica that runs nothing is drained at once")
    func idle() throws {
        let report = try ReplicaHealth.ready().drain(deadline: ms(1_000), at: ms(10))
        #expect(report.ended == ms(10) && report.isFinal)
    }

    @Test("the end of a stream is told once, and an old id fits no later stream")
    func once() throws {
        let streams = try ReplicaHealth.ready().streams
        let first = try #require(streams.begin())
        #expect(streams.end(first, .finished, at: ms(1)))
        #expect(!streams.end(first, .lost, at: ms(1)))
        let second = try #require(streams.begin())
        #expect(second != first)
        #expect(!streams.end(first, .finished, at: ms(1)))
        #expect(streams.running == 1)
    }

    @Test("an undrained replica is proved before it gets calls, and what ends later is not counted")
    func undrain() throws {
        let health = try ReplicaHealth.ready()
        let stream = try #require(health.streams.begin())
        health.drain(deadline: ms(1_000), at: ms(10))
        #expect(health.undrain(at: ms(500))?.to == .starting)
        #expect(health.streams.mustHandOver(at: ms(2_000)).isEmpty)
        #expect(health.streams.begin() != nil)
        health.streams.end(stream, .finished, at: ms(2_000))
        let report = try #require(health.streams.drainReport)
        #expect(report.left == 1 && report.finished == 0 && report.undone == ms(500) && report.isFinal)
        try health.probe(.good, at: ms(500))
        #expect(health.phase == .ready)
        #expect(health.undrain(at: ms(600)) == nil, "there is nothing to take back")
        let next = health.drain(deadline: ms(5_000), at: ms(2_000))
        #expect(next.running == 1 && next.left == 1)
    }

    @Test("draining again only moves the deadline")
    func again() throws {
        let health = try ReplicaHealth.ready()
        let stream = try #require(health.streams.begin())
        health.drain(deadline: ms(1_000), at: ms(10))
        let report = health.drain(deadline: ms(200), at: ms(100))
        #expect(report.started == ms(10) && report.deadline == ms(200) && report.running == 1)
        #expect(health.streams.mustHandOver(at: ms(200)) == [stream])
    }

    @Test("one that dies while it drains hands all over at once, and its report stays true")
    func dies() throws {
        let health = try ReplicaHealth.ready()
        let streams = try (0..<4).map { _ in try #require(health.streams.begin()) }
        health.drain(deadline: ms(60_000), at: ms(0))
        health.streams.end(streams[0], .finished, at: ms(5))
        for _ in 0..<3 { try health.probe(.silent, at: health.nextProbe(at: ms(5)).at) }
        #expect(health.phase == .dead)
        let now = ms(20_000)
        #expect(Set(health.streams.mustHandOver(at: now)) == Set(streams[1...]))
        health.streams.end(streams[1], .handedOver, at: now)
        health.streams.end(streams[2], .lost, at: now)
        health.streams.end(streams[3], .handedOver, at: now)
        let report = try #require(health.streams.drainReport)
        #expect(report.description == "drained: of 4 streams 1 finished, 2 handed over, 1 lost, 0 left")
        #expect(report.ended == now)
        try health.probe(.alive, at: health.nextProbe(at: now).at)
        #expect(health.phase == .draining, "it is still to be drained")
        #expect(health.streams.begin() == nil)
        #expect(health.undrain(at: ms(100_000))?.to == .starting)
    }

    @Test("streams of a replica that dies undrained must go on elsewhere too")
    func sudden() throws {
        let health = try ReplicaHealth.ready()
        let stream = try #require(health.streams.begin())
        #expect(health.streams.mustHandOver(at: ms(1)).isEmpty)
        health.declareDead(at: ms(1))
        #expect(health.streams.mustHandOver(at: ms(1)) == [stream])
        #expect(health.streams.drainReport == nil)
    }

    @Test("probes and changes of phase leave what runs alone")
    func counters() throws {
        let health = try ReplicaHealth.ready()
        for _ in 0..<7 { _ = health.streams.begin() }
        try health.fail(3, at: ms(1))
        try health.probe(.failed(.timeout), at: ms(1))
        health.veto(.xid(31), at: ms(2))
        health.lift(.device, at: ms(3))
        health.declareDead(at: ms(4))
        health.restart(at: ms(5))
        #expect(health.streams.running == 7)
        #expect(health.status(at: ms(5)).streams == 7)
    }

    @Test("reports add up, whatever happens")
    func sums() throws {
        for seed in 1...300 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let health = try ReplicaHealth.ready()
            var running: Set<StreamID> = [], gone: [StreamID] = [], drained = false, dead = false
            for step in 0..<200 as Range<Int64> {
                switch Int.random(in: 0..<20, using: &random) {
                case 0...8:
                    let stream = health.streams.begin()
                    #expect((stream == nil) == (drained || dead), "seed \(seed), step \(step)")
                    if let stream { #expect(running.insert(stream).inserted, "seed \(seed)") }
                case 9...14:
                    guard let stream = running.randomElement(using: &random) else { break }
                    let end = StreamEnd.allCases.randomElement(using: &random)!
                    #expect(health.streams.end(stream, end, at: ms(step)), "seed \(seed)")
                    running.remove(stream)
                    gone.append(stream)
                case 15:
                    guard let stream = gone.randomElement(using: &random) else { break }
                    #expect(!health.streams.end(stream, .finished, at: ms(step)), "seed \(seed)")
                case 16:
                    health.drain(deadline: ms(step + 20), at: ms(step))
                    drained = true
                case 17:
                    health.undrain(at: ms(step))
                    drained = false
                case 18:
                    health.declareDead(at: ms(step))
                    dead = true
                default:
                    health.restart(at: ms(step))
                    dead = false
                }
                #expect(health.streams.running == running.count, "seed \(seed), step \(step)")
                if let report = health.streams.drainReport {
                    let sum = report.finished + report.handedOver + report.lost + report.left
                    #expect(sum == report.running, "seed \(seed), step \(step)")
                    if drained { #expect(report.left == running.count, "seed \(seed), step \(step)") }
                }
                let must = Set(health.streams.mustHandOver(at: ms(step)))
                #expect(must.isEmpty || must == running, "seed \(seed), step \(step)")
                if dead { #expect(must == running, "seed \(seed), step \(step)") }
            }
        }
    }
}
