import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Health on many threads")
struct ManyThreadsTests {
    @Test("no stream is lost, and changes are told in order")
    func all() async throws {
        let seen = RecordingObserver()
        let health = try ReplicaHealth.ready(observer: seen)
        let (begun, ended) = await withTaskGroup(of: (Int, Int).self) { group in
            for thread in 0..<4 as Range<UInt64> {
                group.addTask { @concurrent in
                    var random = RandomSource.seeded(thread), begun = 0, ended = 0
                    for step in 0..<5_000 as Range<Int64> {
                        let now = ms(step)
                        if let stream = health.streams.begin() {
                            begun += 1
                            let fails = random.next(through: 2) == 0
                            health.record(fails ? .failure(.transport) : .success, of: stream, at: now)
                            if random.next(through: 99) == 0 { health.hung(stream, at: now) }
                            ended += health.streams.end(stream, .finished, at: now) ? 1 : 0
                        }
                        if let probe = health.beginProbe(at: now) {
                            health.probed(probe, random.next(through: 9) == 0 ? .silent : .good, at: now)
                        }
                        switch random.next(through: 199) {
                        case 0: health.drain(deadline: now, at: now)
                        case 1...4: health.undrain(at: now)
                        case 5: health.veto(.rowRemap, at: now)
                        case 6...9: health.lift(.device, at: now)
                        case 10: health.declareDead(at: now)
                        case 11...14: health.restart(at: now)
                        default: _ = health.streams.mustHandOver(at: now)
                        }
                        let share = health.share(at: now)
                        if share < 0 || share > 1 { Issue.record("a share of \(share)") }
                    }
                    return (begun, ended)
                }
            }
            return await group.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        }
        #expect(begun == ended && begun > 1_000)
        #expect(health.streams.running == 0)
        #expect(seen.transitions.count > 100)
        for (one, next) in zip(seen.transitions, seen.transitions.dropFirst()) {
            #expect(one.to == next.from && one.at <= next.at)
        }
        #expect(seen.transitions.last?.to == health.phase.rawValue)
    }
}
