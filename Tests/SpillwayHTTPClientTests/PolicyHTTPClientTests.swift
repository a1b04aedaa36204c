#if HTTPClientSupport
import AsyncHTTPClient
import CircuitBreaking
import NIOCore
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("An HTTP client under a policy", .timeLimit(.minutes(10)))
struct PolicyHTTPClientTests {
    @Test("a 429 is tried again exactly when Retry-After asks for it")
    func retryAfter() async throws {
        let time = ManualTime()
        let policy = try policy(time: time)
        try await withUpstream([.plain(429, ["retry-after": "7"]), .plain(200, [:], "hello")]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: policy)
            async let answer = http.execute(request(.POST, upstream.url()))
            await time.waitForSleepers()
            #expect(time.nextWake == time.now.advanced(by: .seconds(7)))
            #expect(upstream.requests.count == 1)
            time.advance(by: .seconds(7))
            let body = try await answer.body.collect(upTo: 100)
            #expect(String(buffer: body) == "hello")
            #expect(upstream.requests.count == 2)
        }
    }

    @Test(
        "a 500 is tried again when the method is idempotent or the request has a key",
        arguments: [
            (HTTPMethod.GET, nil), (.HEAD, nil), (.PUT, nil), (.DELETE, nil), (.OPTIONS, nil), (.POST, "k1"),
            (.PATCH, "k1"),
        ] as [(HTTPMethod, String?)])
    func serverError(method: HTTPMethod, key: String?) async throws {
        try await withUpstream([.plain(500), .plain(200)]) { upstream, client in
            var request = request(method, upstream.url())
            if let key { request.headers.add(name: "Idempotency-Key", value: key) }
            let answer = try await PolicyHTTPClient(client, policy: try policy()).execute(request)
            #expect(answer.status == .ok)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test(
        "a POST without a key is not tried again after a 500 or a broken connection",
        arguments: [
            (Upstream.Answer.plain(500), Outcome.Cause.serverError), (.reset, .transport),
        ])
    func unknown(answer: Upstream.Answer, cause: Outcome.Cause) async throws {
        try await withUpstream([answer, .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy())
            let error = await failure { try await http.execute(request(.POST, upstream.url())) }
            #expect(error?.underlying?.outcome == .failure(cause))
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("the caller's own call decides before the method does")
    func ownCall() async throws {
        try await withUpstream([.plain(500), .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy())
            let call = Call(idempotency: .idempotent)
            #expect(try await http.execute(request(.POST, upstream.url()), call: call).status == .ok)
        }
    }

    @Test("a broken connection is tried again when the method is idempotent")
    func reset() async throws {
        try await withUpstream([.reset, .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy())
            #expect(try await http.execute(request(.GET, upstream.url())).status == .ok)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test("a refused connection is tried again whatever the method, then told as such")
    func refused() async throws {
        try await withUpstream([]) { upstream, client in
            try await upstream.stop()
            let witness = Witness()
            let http = PolicyHTTPClient(client, policy: try policy(retries: 1, [witness]))
            let error = await failure { try await http.execute(request(.POST, upstream.url())) }
            guard case .exhausted(.attemptsExhausted, attempts: 2, let last) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(last.status == nil)
            #expect(last.outcome == .failure(.connect))
            #expect(witness.outcomes == [.failure(.connect), .failure(.connect)])
        }
    }

    @Test("a body that streams is sent once, even after a 503, and one in memory again")
    func bodies() async throws {
        try await withUpstream([.plain(503), .plain(200), .plain(503), .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy())
            let pieces = AsyncStream<ByteBuffer> {
                $0.yield(ByteBuffer(string: "once"))
                $0.finish()
            }
            var message = request(.PUT, upstream.url())
            message.body = .stream(pieces, length: .unknown)
            let error = await failure { [message] in try await http.execute(message) }
            #expect(error?.underlying?.status == 503)
            #expect(upstream.requests.map(\.body) == ["once"])

            #expect(try await http.execute(request(.GET, upstream.url())).status == .ok)
            for body in [HTTPClientRequest.Body.bytes(ByteBuffer(string: "again")), .bytes(Array("again".utf8))] {
                message.body = body
                let other = try await Upstream.start([.plain(503), .plain(200)])
                message.url = other.url()
                #expect(try await http.execute(message).status == .ok)
                #expect(other.requests.map(\.body) == ["again", "again"])
                try await other.stop()
            }
        }
    }

    @Test("a target that says nothing is a timeout")
    func timeout() async throws {
        try await withUpstream([.silence]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(retries: 0))
            let error = await failure {
                try await http.execute(request(.GET, upstream.url()), timeout: .milliseconds(50))
            }
            #expect(error?.underlying?.outcome == .failure(.timeout))
        }
    }

    @Test("an attempt gets no more time than the policy's deadline leaves")
    func deadline() async throws {
        let policy = try Policy("test") { () throws(ConfigurationError) in try Deadline(.milliseconds(50)) }
        try await withUpstream([.silence]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: policy)
            let error = await failure {
                try await http.execute(request(.GET, upstream.url()), timeout: .seconds(3_600))
            }
            #expect(error?.underlying?.outcome == .neutral(.timeout))
        }
    }

    @Test("cancellation is neutral and not tried again")
    func cancellation() async throws {
        let witness = Witness()
        try await withUpstream([.silence]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(retries: 2, [witness]))
            let task = Task { await failure { try await http.execute(request(.GET, upstream.url())) } }
            for await _ in upstream.arrivals { break }
            task.cancel()
            let error = await task.value
            #expect(error?.underlying?.outcome == .neutral(.cancelled))
            #expect(witness.outcomes == [.neutral(.cancelled)])
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("a breaker opens on what the target does, and then nothing is sent")
    func breaker() async throws {
        var configuration = CircuitBreaker.Configuration()
        configuration.window = .consecutive(2)
        let breaker = try CircuitBreaker("target", configuration)
        try await withUpstream([.plain(500), .plain(500), .plain(200)]) { upstream, client in
            let http = PolicyHTTPClient(client, policy: try policy(retries: 0, [breaker]))
            for _ in 0..<2 { _ = await failure { try await http.execute(request(.GET, upstream.url())) } }
            let error = await failure { try await http.execute(request(.GET, upstream.url())) }
            #expect(error?.reason == .breakerOpen)
            #expect(upstream.requests.count == 2)
        }
    }
}
#endif
