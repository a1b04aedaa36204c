import CAllocations
import GPUClient
import SpillwayCore
import Testing

/// To look at a replica, and to take note of a call that went well or failed once, allocates nothing.
@Suite(.enabled(if: allocations_are_counted())) struct HealthAllocationTests {
    private let noon = Instant(nanoseconds: 1_000_000_000_000)

    private func allocations(_ body: () throws -> Void) rethrows -> UInt64 {
        for _ in 0..<100 { try body() }
        let before = allocations_of_thread()
        for _ in 0..<1_000 { try body() }
        return allocations_of_thread() - before
    }

    private func ready() throws -> ReplicaHealth {
        let health = try ReplicaHealth("replica", at: noon)
        let probe = try #require(health.beginProbe(at: noon))
        health.probed(probe, .generated(firstToken: .milliseconds(50), kvUse: 0.3), at: noon)
        return health
    }

    @Test func looking() throws {
        let health = try ready()
        #expect(allocations { _ = health.share(at: noon) } == 0)
        #expect(allocations { _ = health.phase } == 0)
        #expect(allocations { _ = health.nextProbe(at: noon) } == 0)
    }

    @Test func calls() throws {
        let health = try ready()
        func call(_ outcome: Outcome) {
            guard let stream = health.streams.begin() else {
                Issue.record("refused")
                return
            }
            health.record(outcome, of: stream, at: noon)
            health.streams.end(stream, .finished, at: noon)
        }
        #expect(allocations { call(.success) } == 0)
        #expect(
            allocations {
                call(.failure(.serverError))
                call(.success)
            } == 0)
        #expect(allocations { call(.neutral(.rateLimited)) } == 0)
        #expect(health.phase == .ready)
    }

    @Test func probes() throws {
        let health = try ready()
        var now = noon
        #expect(
            allocations {
                now = now.advanced(by: .seconds(60))
                guard let probe = health.beginProbe(at: now) else {
                    Issue.record("no probe is due")
                    return
                }
                health.probed(probe, .generated(firstToken: .milliseconds(50), kvUse: 0.3), at: now)
            } == 0)
    }

    @Test func refusedStreams() throws {
        let health = try ready()
        health.drain(deadline: .distantFuture, at: noon)
        #expect(allocations { _ = health.streams.begin() } == 0)
    }
}
