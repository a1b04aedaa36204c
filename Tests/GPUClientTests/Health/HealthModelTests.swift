import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

@Suite("Health against its rules in the plainest way")
struct HealthModelTests {
    @Test("every phase agrees, for any sequence of events")
    func reference() throws {
        for seed in 1...2_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let health = try ReplicaHealth("replica", .init { $0.startLimit = .seconds(1_000_000) }, at: ms(0))
            var model = HealthReference()
            var now: Int64 = 0, open: [(StreamID, Int)] = [], begun = 0
            for step in 0..<200 {
                now += .random(in: 0...3, using: &random)
                switch Int.random(in: 0..<40, using: &random) {
                case 0...7:
                    guard let stream = health.streams.begin() else {
                        #expect(model.phase == .draining || model.phase == .dead, "seed \(seed), step \(step)")
                        break
                    }
                    open.append((stream, begun))
                    begun += 1
                    model.begin()
                case 8...23:
                    guard let index = open.indices.randomElement(using: &random) else { break }
                    let (stream, number) = open[index]
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        health.firstContent(of: stream, at: ms(now))
                        model.spoke(number)
                        break
                    }
                    open.remove(at: index)
                    let outcome = [
                        Outcome.success, .failure(.serverError), .failure(.transport), .neutral(.rateLimited),
                    ]
                    .randomElement(using: &random)!
                    health.record(outcome, of: stream, at: ms(now))
                    health.streams.end(stream, .finished, at: ms(now))
                    model.ended(number, outcome.verdict, at: now)
                case 24:
                    guard let (stream, number) = open.last else { break }
                    health.hung(stream, at: ms(now))
                    model.hung(number, at: now)
                case 25...34:
                    now = max(now, health.nextProbe(at: ms(now)).at.nanoseconds / 1_000_000 + 1)
                    let found =
                        Bool.random(using: &random)
                        ? .good : HealthReference.Found.allCases.randomElement(using: &random)!
                    try health.probe(found.result, at: ms(now))
                    model.probed(found, at: now)
                case 35:
                    health.veto(.rowRemap, at: ms(now))
                    model.veto(at: now)
                case 36:
                    health.lift(.device, at: ms(now))
                    model.lift()
                case 37:
                    if Bool.random(using: &random) {
                        health.drain(deadline: ms(now), at: ms(now))
                        model.drain(at: now)
                    } else {
                        health.declareDead(at: ms(now))
                        model.die(at: now)
                    }
                case 38:
                    health.undrain(at: ms(now))
                    model.undrain(at: now)
                default:
                    health.restart(at: ms(now))
                    model.restart(at: now)
                }
                #expect(health.phase == model.phase, "seed \(seed), step \(step)")
                guard health.phase == model.phase else { return }
            }
        }
    }

    /// Where a change may lead without a person.
    private let allowed: Set<String> = [
        "starting→ready", "starting→dead", "ready→degraded", "ready→dead", "degraded→ready", "degraded→dead",
        "draining→dead", "dead→starting", "dead→draining",
    ]

    @Test("one probe at a time, none wedges it, and the dead come back through starting")
    func invariants() throws {
        for seed in 1...500 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            let seen = RecordingObserver()
            let health = try ReplicaHealth("replica", at: ms(0), observer: seen, random: .seeded(seed))
            var now: Int64 = 0, open: [Probe] = [], free = ms(0)
            for step in 0..<400 {
                now += .random(in: 0...4_000, using: &random)
                if let probe = health.beginProbe(at: ms(now)) {
                    #expect(ms(now) >= free, "two probes at once, seed \(seed), step \(step)")
                    free = probe.until
                    open.append(probe)
                }
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    // Perhaps one of long ago, perhaps told again.
                    guard let probe = open.randomElement(using: &random) else { break }
                    let found = HealthReference.Found.allCases.randomElement(using: &random)!
                    health.probed(probe, found.result, at: ms(now))
                    if probe == open.last { free = ms(now) }
                case 2:
                    if let probe = open.last {
                        health.abandon(probe, at: ms(now))
                        free = ms(now)
                    }
                case 3, 4:
                    guard let stream = health.streams.begin() else { break }
                    health.record(
                        Bool.random(using: &random) ? .success : .failure(.transport), of: stream, at: ms(now))
                    health.streams.end(stream, .finished, at: ms(now))
                default: break
                }
                let share = health.share(at: ms(now))
                #expect(health.phase == .ready ? share > 0 && share <= 1 : share == 0, "seed \(seed), step \(step)")
            }
            for change in seen.transitions {
                #expect(allowed.contains("\(change.from)→\(change.to)"), "seed \(seed): \(change)")
            }
            for (one, next) in zip(seen.transitions, seen.transitions.dropFirst()) {
                #expect(one.to == next.from && one.at <= next.at, "seed \(seed)")
            }
            // Whatever went before, good probes make it ready in bounded time.
            let end = now + 300_000
            while health.phase != .ready, now < end {
                now = max(now, health.nextProbe(at: ms(now)).at.nanoseconds / 1_000_000 + 1)
                if let probe = health.beginProbe(at: ms(now)) { health.probed(probe, .good, at: ms(now)) }
            }
            #expect(health.phase == .ready, "wedged, seed \(seed)")
        }
    }
}
