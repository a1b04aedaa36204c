#if HTTPClientSupport
import NIOCore
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("What attempts at a stream cost", .timeLimit(.minutes(10)))
struct StreamCostTests {
    private static let prompt = Usage(input: 10, source: .estimated)

    @Test(
        "an attempt that was sent and failed before its first content took its prompt",
        arguments: [
            Relayed.Script.cut([Wire.role]), .pieces([Wire.role]), .pieces([]), .pieces([Wire.reported]),
            .refused(UpstreamError("reset", .failure(.transport))),
            .refused(UpstreamError("no answer in time", .failure(.timeout))),
            .refused(UpstreamError("HTTP 502", .failure(.serverError), status: 502)),
        ])
    func sent(script: Relayed.Script) async {
        let stream = Relayed()
        #expect(await stream.attempt(script, target: "a") != nil)
        #expect(stream.journal.costs.map(\.usage) == [Self.prompt])
        #expect(stream.journal.costs.map(\.target) == ["a"])
        #expect(stream.journal.usage == Self.prompt)
    }

    @Test(
        "an attempt that was not sent, or was refused, took nothing",
        arguments: [
            UpstreamError("no connection", .failure(.connect)),
            UpstreamError("no such URL", .neutral(.invalidRequest)),
            UpstreamError("HTTP 400", .neutral(.invalidRequest), status: 400),
            UpstreamError("HTTP 429", .failure(.overloaded), status: 429),
            UpstreamError("HTTP 500", .failure(.serverError), status: 500),
            UpstreamError("HTTP 503", .failure(.overloaded), status: 503),
            UpstreamError("HTTP 529", .failure(.overloaded), status: 529),
        ])
    func notSent(failure: UpstreamError) async {
        let stream = Relayed()
        #expect(await stream.attempt(.refused(failure)) != nil)
        #expect(stream.journal.costs.isEmpty)
        #expect(stream.journal.usage == nil)
    }

    @Test("the loser of a hedge took its prompt")
    func hedge() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let policy = try Policy("hedged", time: time) { () throws(ConfigurationError) in
            try Hedge(after: .fixed(.seconds(2)), budget: RetryBudget.unlimited)
        }
        let journal = StreamJournal(promptTokens: 10), relay = StreamRelay(journal, time: time)
        try simulation.run {
            let call = Call(idempotency: .idempotent, streams: true)
            try await policy.run(call) { (attempt) async throws(UpstreamError) in
                try await relay.run(attempt) { _ in
                    try await time.sleep(for: attempt.hedge == 0 ? .seconds(60) : .seconds(1))
                    return AsyncStream<ByteBuffer> { stream in
                        stream.yield(ByteBuffer(string: Wire.text("1234") + Wire.end))
                        stream.finish()
                    }
                } to: { _ in
                }
            }
        }
        #expect(Set(journal.costs.map(\.usage.answerTokens)) == [0, 1])
        #expect(journal.usage == Usage(input: 20, output: 1, requests: 2, source: .estimated))
    }

    @Test("an attempt with no content in time took its prompt")
    func firstContent() throws {
        let simulation = Simulation(seed: 1), time = simulation.time
        let policy = try Policy("test", time: time) { () throws(ConfigurationError) in
            try AttemptTimeout(firstContent: .seconds(5))
        }
        let journal = StreamJournal(promptTokens: 10), relay = StreamRelay(journal, time: time)
        try simulation.run {
            _ = await #expect(throws: PolicyError<UpstreamError>.self) {
                try await policy.run(Call(streams: true)) { (attempt) async throws(UpstreamError) in
                    try await relay.run(attempt) { _ in
                        try await time.sleep(for: .seconds(60))
                        return AsyncStream<ByteBuffer> { $0.finish() }
                    } to: { _ in
                    }
                }
            }
        }
        #expect(journal.costs.map(\.usage) == [Self.prompt])
    }
}
#endif
