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
            #expect(try await bench.calls.reduce(0, +) <= 3)
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

    @Test func `a fallback that cannot go on is not asked, and the first failure is told`() async throws {
        try await withMixed(#"{ upstream: r1, model: fake-7b }, { upstream: r2, model: fake-7b }"#) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream)
            let seen = try await bench.ask()
            seen.isError("truncated", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls == [1, 0, 0])
            // Before anything has been passed on it is asked as any other.
            try await bench.fault(.error500)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [2, 1, 0])
        }
    }

    @Test func `a fallback that goes on is found behind one that cannot`() async throws {
        let targets = ["r1", "r2", "r3"].map { "{ upstream: \($0), model: fake-7b }" }
        try await withMixed(targets.joined(separator: ", ")) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream)
            try await bench.ask().isWhole(answer)
            #expect(try await bench.calls == [1, 0, 1])
        }
    }

    /// Runs `body` with a gateway that continues streams, over three replicas of which the second cannot.
    private func withMixed(_ targets: String, _ body: (Bench) async throws -> Void) async throws {
        try await withBench(replicas: 3) { inner in
            let upstreams = zip(inner.fleet.replicas, ["flags", "none", "lastMessage"]).enumerated()
            let yaml = """
                upstreams:
                \(upstreams.map { "  r\($0 + 1): { url: 'http://127.0.0.1:\($1.0)', breaker: none, prefill: \($1.1) }" }
                    .joined(separator: "\n"))
                models:
                  chat: { targets: [\(targets)] }
                policy: { \(quick), recovery: continue }
                """
            try await withGateway(yaml) { gateway, port in
                try await body(Bench(fleet: inner.fleet, gateway: gateway, port: port))
            }
        }
    }

    @Test(arguments: ["fail", "restart", "continue"])
    func `streams that all break off end with one error`(recovery: String) async throws {
        try await withBench(policy: "{ \(quick), recovery: \(recovery) }") { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.cutStream, replica: #""all""#)
            let seen = try await bench.ask()
            seen.isError("truncated", after: answer)
            #expect(!seen.text.isEmpty)
            #expect(try await bench.calls.reduce(0, +) <= 4)
            try await bench.servesWell(answer)
        }
    }
}
