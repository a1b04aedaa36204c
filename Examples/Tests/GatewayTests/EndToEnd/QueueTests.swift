import AsyncHTTPClient
import FleetFaults
import NIOHTTP1
import Synchronization
import Testing

@testable import FakeFleet
@testable import Gateway

/// Calls that wait for upstreams that are full.
@Suite(.timeLimit(.minutes(10))) struct QueueTests {
    private static let one = "breaker: none, concurrency: { limit: 1 }"

    /// Callers that come again and again.
    private final class Waiting: Sendable {
        let isOver = Atomic(false)
    }

    /// Statuses of so many calls at once.
    private func statuses(_ bench: Bench, _ count: Int, headers: HTTPHeaders = [:]) async throws -> [UInt: Int] {
        try await withThrowingTaskGroup(of: UInt.self) { group in
            for _ in 0..<count { group.addTask { try await bench.chat(headers: headers).status.code } }
            return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    @Test func `an upstream is never asked more than it is allowed, and all who wait are answered`() async throws {
        let policy = "{ retries: 0, queue: { capacity: 50, longestSeconds: 60 } }"
        try await withBench(replicas: 1, upstream: Self.one, policy: policy) { bench in
            #expect(try await statuses(bench, 30) == [200: 30])
            #expect(try await bench.calls == [30])
            let limit = try #require(bench.gateway.upstreams[0].limit)
            #expect(limit.inFlight == 0)
            try await bench.metrics(until: #"gateway_concurrency_limit{upstream="r1"} 1"#)
            #expect(bench.gateway.routes["chat"]?.queue?.standing(at: .zero).waiting == [:])
        }
    }

    @Test func `without a queue, or in one that is full, a call is refused with the reason`() async throws {
        for (policy, reason) in [
            ("{ retries: 0 }", "concurrency_limited"), ("{ retries: 0, queue: { capacity: 1 } }", "queue_full"),
        ] {
            try await withBench(replicas: 1, upstream: Self.one, policy: policy) { bench in
                try await bench.fault(.noAnswer)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // One is under way for ever, and where there is a line another one waits.
                    for waiting in 1...(policy.contains("queue") ? 2 : 1) {
                        group.addTask { _ = try? await bench.chat() }
                        try await bench.stats { $0.replicas[0].calls == 1 }
                        if waiting == 2 {
                            try await bench.metrics(until: #"criticality="critical",model="chat"} 1"#)
                        }
                    }
                    let refused = try await bench.chat()
                    #expect(refused.status == .serviceUnavailable)
                    #expect(try await refused.text.contains(reason))
                    #expect(try await bench.calls == [1])
                    group.cancelAll()
                }
            }
        }
    }

    @Test func `what matters least is refused when the line grows`() async throws {
        let policy = """
            { retries: 0, queue: { capacity: 50, longestSeconds: 0.2 }, \
            shed: { sheddable: { from: 0.001, to: 0.001 }, sheddablePlus: never, critical: never } }
            """
        try await withBench(replicas: 1, upstream: Self.one, policy: policy) { bench in
            try await bench.fault(.noAnswer)
            let waiting = Waiting()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await bench.chat() }
                try await bench.stats { $0.replicas[0].calls == 1 }
                // Some wait at any time, until they have waited for too long.
                for _ in 0..<8 {
                    group.addTask {
                        while !waiting.isOver.load(ordering: .relaxed) { _ = try? await bench.chat() }
                    }
                }
                while true {
                    let seen = try await bench.chat(headers: ["x-spillway-criticality": "sheddable"])
                    let text = try await seen.text
                    if text.contains("load_shed") { break }
                    #expect(text.contains("queued_too_long"))
                }
                // They end by themselves: a server that stops while somebody connects is another story.
                waiting.isOver.store(true, ordering: .relaxed)
                for _ in 0..<8 { _ = try await group.next() }
                group.cancelAll()
            }
        }
    }
}
