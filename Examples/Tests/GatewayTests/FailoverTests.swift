import FleetFaults
import Testing

@testable import FakeFleet
@testable import Gateway

private let streamed = #","stream":true,"max_tokens":40"#

@Suite(.timeLimit(.minutes(10))) struct FailoverTests {
    @Test(arguments: [FaultKind.error503, .error500, .reset, .rateLimitBare, .malformedChunk, .stuckKernel])
    func `a failure before the first content is made good by another replica`(kind: FaultKind) async throws {
        // A broken chunk comes second; with all tokens in one chunk it is the first.
        let limits = "firstContentSeconds: 10, retries: 3, backoff: { kind: none }"
        try await withBench(policy: "{ \(limits) }", flags: ["--tokens-per-chunk=40"]) { bench in
            try await bench.fault(kind)
            let response = try await bench.chat(streamed)
            #expect(response.status == .ok)
            #expect(response.headers.first(name: "x-spillway-upstream") == "r2")
            #expect(response.headers.first(name: "x-spillway-attempts") == "2")
            let text = try await response.text
            #expect(text.contains(#""finish_reason":"stop""#))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
            #expect(!text.contains("error"))
            #expect(try await bench.calls == [1, 1])
        }
    }

    @Test(arguments: [FaultKind.error503, .cutStream, .malformedChunk])
    func `an answer in one piece is made good too`(kind: FaultKind) async throws {
        try await withBench { bench in
            try await bench.fault(kind)
            let response = try await bench.chat()
            #expect(response.status == .ok)
            #expect(response.headers.first(name: "x-spillway-upstream") == "r2")
            #expect(try await response.text.contains(#""finish_reason":"stop""#))
        }
    }

    @Test(arguments: [FaultKind.cutStream, .malformedChunk, .stall])
    func `a failure after the first content ends the stream with an error`(kind: FaultKind) async throws {
        try await withBench(policy: "{ stallSeconds: 5, retries: 3, backoff: { kind: none } }") { bench in
            try await bench.fault(kind)
            let response = try await bench.chat(streamed)
            #expect(response.status == .ok)
            let text = try await response.text
            #expect(text.contains(#""content":""#))
            #expect(text.contains("data: {\"error\":{"))
            #expect(!text.contains("[DONE]"))
            #expect(!text.contains(#""finish_reason":"stop""#))
            // It is not tried again, and it speaks against the replica.
            #expect(try await bench.calls == [1, 0])
            let cause = kind == .stall ? "timeout" : "truncated"
            try await bench.metrics(until: #"gateway_upstream_attempts_total{cause="\#(cause)",upstream="r1"} 1"#)
        }
    }

    @Test func `a whole answer without its end mark gets one`() async throws {
        try await withBench { bench in
            try await bench.fault(.noDone)
            #expect(try await bench.chat(streamed).text.hasSuffix("data: [DONE]\n\n"))
            try await bench.metrics(until: #"gateway_requests_total{model="chat",outcome="ok",reason="completed"} 1"#)
        }
    }

    @Test func `a limit of the upstream is passed on with its time`() async throws {
        try await withBench(policy: "{ deadlineSeconds: 5 }") { bench in
            try await bench.fault(.rateLimit, replica: #""all""#, extra: #","retry_after":"7""#)
            for extra in ["", streamed] {
                let response = try await bench.chat(extra)
                #expect(response.status == .tooManyRequests)
                #expect(response.headers.first(name: "retry-after") == "7")
                #expect(try await response.apiError["code"] == "rate_limit_exceeded")
            }
        }
    }

    @Test func `open breakers refuse with a time to come back, and the gateway is not ready`() async throws {
        let breaker = "breaker: { window: { consecutive: 1 }, openSeconds: 60 }"
        try await withBench(upstream: breaker, policy: "{ backoff: { kind: none } }") { bench in
            #expect(try await bench.send(.GET, "health/ready").status == .ok)
            try await bench.fault(.error500, replica: #""all""#)
            #expect(try await bench.chat(streamed).status == .internalServerError)
            let refused = try await bench.chat(streamed)
            #expect(refused.status == .serviceUnavailable)
            let wait = refused.headers.first(name: "retry-after").flatMap { Int($0) }
            #expect((1...66).contains(wait ?? 0))
            #expect(try await refused.apiError["code"] == "breaker_open")
            #expect(try await bench.calls == [1, 1])
            #expect(try await bench.send(.GET, "health/ready").status == .serviceUnavailable)
            #expect(try await bench.send(.GET, "health/live").status == .ok)
            let page = try await bench.send(.GET, "metrics").text
            #expect(page.contains(#"gateway_breaker_state{state="open",upstream="r1"} 1"#))
            #expect(page.contains(#"gateway_upstream_attempts_total{cause="server_error",upstream="r2"} 1"#))
            #expect(page.contains(#"gateway_requests_total{model="chat",outcome="error",reason="breaker_open"} 2"#))
        }
    }

    @Test func `a draining gateway is not ready`() async throws {
        try await withBench(replicas: 1) { bench in
            bench.gateway.drain()
            let response = try await bench.send(.GET, "health/ready")
            #expect(response.status == .serviceUnavailable)
        }
    }

    @Test(arguments: [true, false])
    func `a client that leaves frees the upstream and counts neutral`(isStreamed: Bool) async throws {
        try await withBench(replicas: 1, flags: ["--decode-rate=0.001"]) { bench in
            let call = Task { try await bench.chat(#","stream":\#(isStreamed)"#).text }
            try await bench.stats { $0.replicas[0].running == 1 }
            call.cancel()
            try await bench.stats { $0.replicas[0].running == 0 }
            try await bench.metrics(until: #"gateway_upstream_attempts_total{cause="cancelled",upstream="r1"} 1"#)
            try await bench.metrics(until: "gateway_in_flight 0\n")
            _ = await call.result
        }
    }

    @Test func `the time to the first content is measured`() async throws {
        try await withBench(replicas: 1) { bench in
            _ = try await bench.chat(streamed).text
            try await bench.metrics(until: "gateway_first_content_seconds_count 1\n")
        }
    }
}
