#if HTTPClientSupport
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A relay of streams in a policy", .timeLimit(.minutes(10)))
struct StreamPolicyTests {
    private func request(_ upstream: Upstream) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: upstream.url())
        request.method = .POST
        return request
    }

    /// As on the module's page.
    private func pass(
        _ request: HTTPClientRequest, _ body: [UInt8], _ client: HTTPClient, policy: Policy, _ relay: StreamRelay,
        to write: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        try await policy.run(Call(idempotency: .idempotent, streams: true)) {
            (attempt) async throws(UpstreamError) in
            try await relay.run(attempt) { prefill in
                var request = request
                request.body = .bytes(try prefill?.body(body) ?? body)
                let response = try await client.execute(request, deadline: .distantFuture)
                guard response.status.code < 400 else { throw await UpstreamError.from(response) }
                return response.body
            } to: { pieces in
                for piece in pieces { try await write(piece.event.text) }
            }
        }
    }

    @Test("what a policy cancels for a stall after the commit point goes on elsewhere")
    func stall() async throws {
        let time = ManualTime()
        let witness = Witness()
        let policy = try Policy("test", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 1, backoff: .none, budget: .unlimited)
            Gates(witness)
            try AttemptTimeout(firstContent: .seconds(60), stall: .seconds(10))
        }
        let answers = [Upstream.Answer.stream([Wire.text("Hel")], .never), .stream([Wire.text("lo"), Wire.end])]
        try await withUpstream(answers) { upstream, client in
            let journal = StreamJournal(.continue(.lastMessage))
            let written = Locked("")
            let clock = Task {
                while !Task.isCancelled {
                    if journal.isCommitted, journal.failure == nil { time.advance(by: .seconds(1)) }
                    await Task.yield()
                }
            }
            defer { clock.cancel() }
            let body = Array(#"{"messages":[]}"#.utf8)
            try await pass(request(upstream), body, client, policy: policy, StreamRelay(journal, time: time)) { text in
                written.withLock { $0 += text }
            }
            #expect(written.withLock { $0 } == Wire.text("Hel") + Wire.text("lo") + Wire.end + Wire.done)
            #expect(upstream.requests.last?.body == #"{"messages":[{"content":"Hel","role":"assistant"}]}"#)
            #expect(witness.outcomes == [.failure(.timeout), .success])
            #expect((journal.failure?.message).map { $0.contains("no more content") } == true)
        }
    }

    @Test("what cannot be gone on with is tried no further, whatever the limit")
    func final() async throws {
        let time = ManualTime()
        let policy = try Policy("test", time: time) { () throws(ConfigurationError) in
            try Retry(upTo: 3, backoff: .none, budget: .unlimited)
            try AttemptTimeout(stall: .seconds(10))
        }
        try await withUpstream([.stream([Wire.text("Hel")], .never)]) { upstream, client in
            let journal = StreamJournal()
            let clock = Task {
                while !Task.isCancelled {
                    if journal.isCommitted, journal.failure == nil { time.advance(by: .seconds(1)) }
                    await Task.yield()
                }
            }
            defer { clock.cancel() }
            let relay = StreamRelay(journal, time: time)
            let error = await failure {
                try await pass(request(upstream), [], client, policy: policy, relay) { _ in }
            }
            #expect(error?.reason == .stalled)
            let told = try journal.failure(of: #require(error))
            #expect(told?.outcome == .failure(.truncated))
            #expect(upstream.requests.count == 1)
        }
    }
}
#endif
