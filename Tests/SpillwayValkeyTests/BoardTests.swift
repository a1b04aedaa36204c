#if ValkeySupport
import Admission
import CircuitBreaking
import SpillwayCore
import SpillwayTesting
import SpillwayValkey
import Testing

@Suite(.withRedis, .serialized, .timeLimit(.minutes(5))) struct BoardTests {
    private func report(_ process: UInt64, _ open: [(String, since: Int64, left: Int64)]) -> BreakerReport {
        BreakerReport(
            board: "fleet", process: process, life: .seconds(3),
            open: open.map {
                BreakerSighting(
                    breaker: $0.0, process: process, since: .milliseconds($0.since), left: .milliseconds($0.left))
            })
    }

    private func sighting(_ breaker: String, _ process: UInt64, since: Int64, left: Int64) -> BreakerSighting {
        BreakerSighting(breaker: breaker, process: process, since: .milliseconds(since), left: .milliseconds(left))
    }

    @Test func tellsWhatOthersSeeForAsLongAsItHolds() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url), odd = "a b\n{}\"\u{0} é", start: Int64 = 1_700_000_000_000_000
        func exchange(_ report: BreakerReport, after milliseconds: Int64) async throws -> Set<BreakerSighting> {
            Set(try await store.exchange(report, at: start + milliseconds * 1_000))
        }
        #expect(try await exchange(report(1, [("r", 500, 10_000), (odd, 0, 1_000)]), after: 0).isEmpty)
        #expect(try await exchange(report(1, [("r", 500, 10_000), (odd, 0, 1_000)]), after: 0).isEmpty, "no echo")
        #expect(
            try await exchange(report(.max, [("r", 0, 2_000)]), after: 400)
                == [sighting("r", 1, since: 900, left: 9_600), sighting(odd, 1, since: 400, left: 600)])
        #expect(
            try await exchange(report(3, []), after: 1_000)
                == [sighting("r", 1, since: 1_500, left: 9_000), sighting("r", .max, since: 600, left: 1_400)],
            "the open time of the other is over")
        #expect(
            try await exchange(report(3, []), after: -100)
                == [sighting("r", 1, since: 400, left: 10_100), sighting("r", .max, since: 0, left: 2_500)],
            "a clock that goes back does no harm")
        _ = try await exchange(report(.max, []), after: 1_100)
        #expect(
            try await exchange(report(3, []), after: 2_999) == [sighting("r", 1, since: 3_499, left: 7_001)],
            "taken back")
        #expect(try await exchange(report(3, []), after: 3_000).isEmpty, "it says no more")
        await store.close()
    }

    @Test func whatOthersWroteThereIsTakenOut() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url)
        try server.command("HSET", "spillway:{fleet}:breakers", "nonsense", "1", "5", "x", "7", "1", "8", "-")
        #expect(try await store.exchange(report(1, [("r", 0, 60_000)])).isEmpty)
        #expect(try server.command("HLEN", "spillway:{fleet}:breakers").hasPrefix(":1"))
        try server.command("DEL", "spillway:{fleet}:breakers")
        try server.command("SET", "spillway:{fleet}:breakers", "text")
        let error = await #expect(throws: LeaseStoreError.self) { try await store.exchange(report(1, [])) }
        #expect(error?.kind == .refused && error?.description.contains("WRONGTYPE") == true)
        await store.close()
    }

    /// By the server's clock, which takes all out by itself.
    @Test func theServerForgetsByItsOwnClock() async throws {
        let server = try RedisServer()
        let store = try ValkeyLeaseStore(server.url)
        _ = try await store.exchange(report(1, [("r", 0, 60_000)]))
        let left = try server.command("PTTL", "spillway:{fleet}:breakers")
        let milliseconds = try #require(Int(left.dropFirst().prefix { $0.isNumber }))
        #expect(left.hasPrefix(":") && (1...3_603_000).contains(milliseconds), "\(left)")
        await store.close()
    }

    @Test func twoProcessesOpenTheBreakerOfAThird() async throws {
        let server = try RedisServer()
        let processes = try (0..<3).map { _ in
            let breaker = try CircuitBreaker("replica-1", .init { $0.window = .consecutive(1) })
            let board = try BreakerBoard(
                "gateway", .init(interval: .milliseconds(20), life: .seconds(3)), store: ValkeyLeaseStore(server.url))
            try board.add(breaker)
            return (board, breaker)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (board, _) in processes { group.addTask { try await board.run() } }
            for (_, breaker) in processes[..<2] {
                try breaker.admit(at: SystemTime().now).settle(.failure(.serverError), at: SystemTime().now)
            }
            while processes[2].1.currentState != .open { await Task.yield() }
            group.cancelAll()
        }
        #expect(try server.command("EXISTS", "spillway:{gateway}:breakers").hasPrefix(":0"), "all was taken back")
    }
}
#endif
