import FleetFaults
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// Upstreams that refuse or fail before they begin an answer.
@Suite(.timeLimit(.minutes(10))) struct RefusalTests {
    @Test(arguments: [true, false])
    func `a limit that names its time is waited for`(streamed: Bool) async throws {
        try await withBench(replicas: 1) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.rateLimit, extra: #","retry_after":"1","count":1"#)
            let began = SystemTime().now
            try await bench.ask(streamed: streamed).isWhole(answer)
            #expect(began.duration(to: SystemTime().now) >= .seconds(1))
            #expect(try await bench.calls == [2])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `a limit of one upstream does not hold up another`(streamed: Bool) async throws {
        try await withBench { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.rateLimit, extra: #","retry_after":"20""#)
            let seen = try await bench.ask(streamed: streamed)
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(try await bench.calls == [1, 1])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `a limit for ever ends as one, after no more attempts than allowed`(streamed: Bool) async throws {
        try await withBench(
            policy: "{ retries: 3, backoff: { kind: none }, budget: { burst: 5, ratio: 0, minimumPerSecond: 0 } }"
        ) {
            bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.rateLimitBare, replica: #""all""#)
            for _ in 0..<10 {
                let seen = try await bench.ask(streamed: streamed)
                #expect(seen.status == 429)
                seen.isError("rate_limit_exceeded", after: answer)
            }
            // Ten calls, three retries of the first, and the two that were left for the second.
            #expect(try await bench.calls.reduce(0, +) == 15)
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `an error that passes is tried again`(streamed: Bool) async throws {
        try await withBench(replicas: 1) { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error500, extra: #","count":1"#)
            let seen = try await bench.ask(streamed: streamed)
            seen.isWhole(answer)
            #expect(seen.headers["x-spillway-attempts"] == "2")
            #expect(try await bench.calls == [2])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `an error that stays ends as one, after no more attempts than allowed`(streamed: Bool) async throws {
        try await withBench(
            policy: "{ retries: 2, backoff: { kind: none }, budget: { burst: 4, ratio: 0, minimumPerSecond: 0 } }"
        ) {
            bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.error503, replica: #""all""#)
            for _ in 0..<10 {
                let seen = try await bench.ask(streamed: streamed)
                #expect(seen.status == 503)
                seen.isError(nil, after: answer)
            }
            #expect(try await bench.calls.reduce(0, +) == 14)
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `a connection that is reset is tried elsewhere, and all of them are an error`(streamed: Bool) async throws {
        try await withBench { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.reset)
            let seen = try await bench.ask(streamed: streamed)
            seen.isWhole(answer)
            #expect(seen.upstream == "r2")
            #expect(try await bench.calls == [1, 1])
            try await bench.fault(.reset, replica: #""all""#)
            let failed = try await bench.ask(streamed: streamed)
            #expect(failed.status == 502)
            failed.isError("transport", after: answer)
            #expect(try await bench.calls.reduce(0, +) == 2 + 4)
            try await bench.servesWell(answer)
        }
    }

    @Test(
        arguments: [
            (FaultKind.contextLength, "context_length_exceeded"), (.contentPolicy, "content_policy_violation"),
        ], [true, false])
    func `a prompt that is refused is the client's to change`(
        fault: (kind: FaultKind, code: String), streamed: Bool
    ) async throws {
        try await withBench { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(fault.kind)
            let seen = try await bench.ask(streamed: streamed)
            #expect(seen.status == 400)
            seen.isError(fault.code, after: answer)
            #expect(try await bench.calls == [1, 0])
            try await bench.servesWell(answer)
        }
    }

    @Test(arguments: [true, false])
    func `an answer that a filter broke off says so`(streamed: Bool) async throws {
        try await withBench { bench in
            let answer = try await bench.healthyAnswer()
            try await bench.fault(.contentFilter)
            let seen = try await bench.ask(streamed: streamed)
            #expect(seen.status == 200)
            #expect(seen.finish == "content_filter")
            #expect(seen.isDone)
            #expect(!seen.text.isEmpty && answer.hasPrefix(seen.text))
            #expect(try await bench.calls == [1, 0])
            try await bench.servesWell(answer)
        }
    }
}
