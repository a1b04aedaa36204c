import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

private let quick = "stallSeconds: 10, retries: 3, backoff: { kind: none }"

/// Streams that break off.
@Suite(.timeLimit(.minutes(10))) struct BrokenStreamTests {
    private static let breaks: [FaultKind] = [.cutStream, .stall, .malformedChunk, .lateErrorEvent]

    @Test(arguments: breaks)
    func `a stream that breaks off ends with one error, if the route wants no more`(kind: FaultKind) async throws {
        try await withBench(policy: "{ \(quick) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind)
            let seen = try await bench.ask()
            #expect(seen.status == 200)
            #expect(!seen.text.isEmpty)
            #expect(answer.hasPrefix(seen.text))
            #expect(seen.error != nil)
            #expect(seen.afterError == 0)
            #expect(seen.finish == nil)
            #expect(!seen.isDone)
            #expect(try await bench.calls == [1, 0])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: breaks, ["restart", "continue"])
    func `a stream that breaks off is made whole by another upstream`(
        kind: FaultKind, recovery: String
    ) async throws {
        try await withBench(policy: "{ \(quick), recovery: \(recovery) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: breaks, ["wholeAnswer", "{ tokens: 30 }"])
    func `a stream that breaks off before its commit point goes unnoticed`(
        kind: FaultKind, commit: String
    ) async throws {
        try await withBench(policy: "{ \(quick), commit: \(commit) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind)
            let seen = try await bench.ask()
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(try await bench.calls == [1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `an error as the first event is tried elsewhere, as if it had come with a status`() async throws {
        try await withBench { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.errorEvent)
            let seen = try await bench.ask()
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            try await bench.fault(.errorEvent, replica: #""all""#)
            let failed = try await bench.ask()
            #expect(failed.status == 500)
            #expect(failed.error?["type"] == "server_error")
            #expect(try await bench.calls.reduce(0, +) == 2 + 4)
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [FaultKind.noDone, .openEnd])
    func `a whole answer without its end mark gets one, and nobody waits for it`(kind: FaultKind) async throws {
        try await withBench(policy: "{ stallSeconds: 20, retries: 3 }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(kind)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [1, 0])
            try await bench.servesWell(answer)
        }
    }

    @Test func `a fallback that does not go on with an answer hides no failure`() async throws {
        try await withBench(policy: "{ \(quick), recovery: continue }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.faults((.noPrefill, #""all""#, ""), (.cutStream, "1", ""))
            let seen = try await bench.ask()
            seen.isError("truncated", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls == [2, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `a fallback that goes on is found behind one that does not`() async throws {
        try await withBench(replicas: 3, policy: "{ \(quick), recovery: continue }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.faults((.cutStream, "1", ""), (.noPrefill, "2", ""))
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [1, 1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `upstreams that cannot go on are not asked to`() async throws {
        try await withMixed { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [1, 0, 1])
            // Before anything has been passed on they are asked as any other.
            try await bench.fault(.error500)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [2, 1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test func `where those that can go on fail, the first failure is told`() async throws {
        try await withMixed { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.faults((.cutStream, "1", ""), (.noPrefill, "3", ""))
            let seen = try await bench.ask()
            seen.isError("truncated", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls == [1, 0, 1])
            try await bench.servesWell(answer)
        }
    }

    /// Runs `body` with a gateway that continues streams, over three replicas of which only the last can.
    private func withMixed(_ body: (Bench) async throws -> Void) async throws {
        try await withBench(replicas: 3) { inner in
            let addresses = inner.fleet.replicas.map { "url: 'http://127.0.0.1:\($0)', breaker: none" }
            let yaml = """
                upstreams:
                  r1: { \(addresses[0]) }
                  r2: { \(addresses[1]), prefill: none }
                  r3: { \(addresses[2]), prefill: lastMessage }
                models:
                  chat:
                    targets:
                      - { upstream: r1, model: fake-7b }
                      - { upstream: r2, model: fake-7b }
                      - { upstream: r3, model: fake-7b }
                policy: { \(quick), recovery: continue }
                """
            try await withGateway(yaml) { gateway, port in
                try await body(Bench(fleet: inner.fleet, gateway: gateway, port: port))
            }
        }
    }

    @Test(arguments: [("fail", [1, 0]), ("restart", [3, 1]), ("continue", [3, 1])])
    func `streams that all break off end with one error`(recovery: String, calls: [Int]) async throws {
        try await withBench(policy: "{ \(quick), recovery: \(recovery) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream, replica: #""all""#)
            let seen = try await bench.ask()
            seen.isError("truncated", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls == calls)
            try await bench.servesWell(answer)
        }
    }
}
