#if HTTPClientSupport
import NIOCore
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("Hedged streams", .timeLimit(.minutes(10)))
struct HedgedStreamTests {
    /// A body whose events come at set times, each in the attempt's own words.
    private struct Timed: AsyncSequence, Sendable {
        let time: ManualTime
        let events: [(after: Duration, text: String)]

        func makeAsyncIterator() -> Iterator { Iterator(time: time, events: events[...]) }

        struct Iterator: AsyncIteratorProtocol {
            let time: ManualTime
            var events: ArraySlice<(after: Duration, text: String)>

            mutating func next() async throws -> ByteBuffer? {
                guard let event = events.popFirst() else { return nil }
                try await time.sleep(for: event.after)
                return ByteBuffer(string: event.text)
            }
        }
    }

    /// What the reader got, and what the attempts came to.
    private func run(_ simulation: Simulation, commit: CommitPoint, _ bodies: [Timed]) throws -> (String, CallReport) {
        let policy = try Policy("hedged", time: simulation.time) { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.seconds(2)), budget: RetryBudget.unlimited)
        }
        let relay = StreamRelay(StreamJournal(), commit: commit, time: simulation.time)
        let written = Locked("")
        let report = try simulation.run {
            let call = Call(idempotency: .idempotent, streams: true)
            let (result, report) = await policy.reported(call) { (attempt) async throws(UpstreamError) in
                try await relay.run(attempt) { _ in
                    bodies[attempt.hedge]
                } to: { pieces in
                    written.withLock { $0 += pieces.map(\.text).joined() }
                }
            }
            try result.get()
            return report
        }
        return (written.withLock { $0 }, report)
    }

    @Test("the first content wins, not the first end, and nothing of the other is passed on")
    func firstContent() throws {
        for seed in 1...50 as ClosedRange<UInt64> {
            let simulation = Simulation(seed: seed), time = simulation.time
            // The first is silent for 9 s; the hedge, begun at 2 s, has content at 3 s and goes on for half a minute.
            let slow = Timed(time: time, events: [(.seconds(9), Wire.text("slow")), (.zero, Wire.end)])
            let long = Timed(
                time: time,
                events: [
                    (.seconds(1), Wire.alive), (.zero, Wire.text("a")), (.seconds(30), Wire.text("b")),
                    (.zero, Wire.end), (.zero, Wire.done),
                ])
            let (text, report) = try run(simulation, commit: .firstToken, [slow, long])
            #expect(text == "ab", "seed \(seed)")
            #expect(report.attempts.map(\.outcome) == [.neutral(.cancelled), .success])
            #expect(report.started.duration(to: report.ended) == .seconds(33))
        }
    }

    @Test("with a later commit point, the one that gets there first wins")
    func laterCommit() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let dribble = Timed(time: time, events: [(.seconds(1), Wire.text("x")), (.seconds(60), Wire.end)])
        let quick = Timed(time: time, events: [(.seconds(2), Wire.text("whole")), (.zero, Wire.end)])
        let (text, report) = try run(simulation, commit: .wholeAnswer, [dribble, quick])
        #expect(text == "whole")
        #expect(report.attempts.map(\.outcome) == [.neutral(.cancelled), .success])
    }
}
#endif
