import SpillwayTesting
import Testing

@testable import FleetSimulation

@Suite("Schedules")
struct ScheduleTests {
    @Test("every promise is kept, and everything that can happen does")
    func kept() async throws {
        let study = try await ScheduleStudy.run(seeds: 1..<2_001)
        let counts = study.counts
        #expect(counts.schedules == 2_000)
        #expect(counts.attempts > counts.calls && counts.wasted > 0 && counts.cancellations > 0)
        #expect(counts.endings.values.reduce(0, +) == counts.calls)
        for ending in ["completed", "cancelled", "deadline_exceeded", "budget_exhausted", "attempts_exhausted"] {
            #expect(counts.endings[ending, default: 0] > 0, "\(ending)")
        }
        for reason in ["rate_limited", "breaker_open"] {
            #expect(counts.rejections[reason, default: 0] > 0, "\(reason)")
        }
    }

    @Test("the same seeds give the same output, whatever the order in which cores take them")
    func same() async throws {
        let first = try await ScheduleStudy.run(seeds: 7..<207)
        let second = try await ScheduleStudy.run(seeds: 7..<207)
        #expect(first.tsv == second.tsv && first.table == second.table && first.svg == second.svg)
        #expect(first.tsv.hasPrefix("what\tof_which\tcount\nschedules\tall\t200\n"))
        #expect(complaint(about: first.svg) == nil)
    }

    @Test("a promise that is broken comes with its seed, its faults, and a way to see it again")
    func broken() async throws {
        let failure = await #expect(throws: SimulationFailure.self) {
            try await Simulation.check(seeds: 1..<500, faults: ScheduleTrial.script) { simulation, script in
                let counts = try await ScheduleTrial.run(simulation, script)
                if counts.endings["budget_exhausted", default: 0] > 1 {
                    throw Violation(.attempts, "two calls without budget")
                }
            }
        }
        let text = try #require(failure?.description)
        #expect(text.contains("SPILLWAY_SEED=\(failure?.seed ?? 0)"))
        #expect(text.contains("two calls without budget") && text.contains("try ["))
    }
}
