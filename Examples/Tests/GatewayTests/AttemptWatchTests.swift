import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(10))) struct AttemptWatchTests {
    private let time = ManualTime()
    private let limits = AttemptLimits(attempt: .seconds(60), firstContent: .seconds(10), stall: .seconds(3))

    private func watch(deadline: Duration? = nil) -> AttemptWatch {
        let attempt = Attempt(
            number: 1, call: Call(), started: time.now, deadline: deadline.map { time.now.advanced(by: $0) })
        return AttemptWatch(attempt, limits, streamed: true, time: time)
    }

    /// Runs work that ends only when it is cancelled.
    private func outcome(of watch: AttemptWatch) -> Task<Outcome?, Never> {
        Task {
            do {
                try await watch.run { try await time.sleep(until: .distantFuture) }
                return nil
            } catch {
                return (error as? UpstreamError)?.outcome
            }
        }
    }

    /// Moves time on in steps of 1 s, each after the work and the watch have gone to sleep.
    private func pass(_ seconds: Int, _ each: () -> Void = {}) async {
        for _ in 0..<seconds {
            await time.waitForSleepers(2)
            each()
            time.advance(by: .seconds(1))
        }
    }

    @Test func `a stream without content ends at the limit for the first`() async {
        let ended = outcome(of: watch())
        await pass(10)
        #expect(await ended.value == .failure(.timeout))
    }

    @Test func `chunks that come keep a stream alive, and silence ends it`() async {
        let watch = watch()
        let ended = outcome(of: watch)
        await pass(30) { watch.reached(.content) }
        await pass(2)
        #expect(await ended.value == .failure(.timeout))
    }

    @Test func `a dribble ends with the attempt`() async {
        let watch = watch()
        let ended = outcome(of: watch)
        await pass(60) { watch.reached(.content) }
        #expect(await ended.value == .failure(.timeout))
    }

    @Test func `a caller in a hurry says nothing about the upstream`() async {
        let ended = outcome(of: watch(deadline: .seconds(2)))
        await pass(2)
        #expect(await ended.value == .neutral(.timeout))
    }

    @Test func `a slow client is not the upstream's fault`() async {
        let watch = watch()
        let ended = outcome(of: watch)
        let client = Task { await watch.passing { try? await time.sleep(until: .distantFuture) } }
        await time.waitForSleepers(3)
        for _ in 0..<60 {
            await time.waitForSleepers(3)
            time.advance(by: .seconds(1))
        }
        #expect(await ended.value == .neutral(.timeout))
        client.cancel()
        await client.value
    }
}
