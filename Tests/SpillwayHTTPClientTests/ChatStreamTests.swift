#if HTTPClientSupport
import AsyncHTTPClient
import CircuitBreaking
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A chat client, streams", .timeLimit(.minutes(10)))
struct ChatStreamTests {
    private static let request = ChatRequest(model: "m", messages: [ChatMessage(role: "user", content: "Hi")])
    private func chat(
        _ upstream: Upstream, _ client: HTTPClient, retries: Int = 0, time: any TimeSource = .system,
        _ gates: [any Gate] = []
    ) throws -> ChatClient {
        let http = PolicyHTTPClient(client, policy: try policy(retries: retries, gates), time: time)
        return try ChatClient(baseURL: upstream.url("/v1"), http: http)
    }

    @Test("a whole stream is passed on chunk by chunk, comments left out")
    func whole() async throws {
        let pieces = [
            Wire.alive, Wire.role, Wire.text("Hel"), Wire.alive, Wire.text("lo"), Wire.end, Wire.usage,
            Wire.done,
        ]
        try await withUpstream([.stream(pieces), .stream(pieces)]) { upstream, client in
            let chat = try chat(upstream, client)
            var chunks: [ChatChunk] = []
            for try await chunk in try await chat.stream(Self.request) { chunks.append(chunk) }
            #expect(chunks.map(\.content) == ["", "Hel", "lo", "", ""])
            #expect(chunks.first?.choices.first?.delta.role == "assistant")
            #expect(chunks[3].choices.first?.finishReason == "stop")
            #expect(chunks.last?.usage == Usage(input: 1, output: 2))
            #expect(upstream.requests.first?.body.contains(#""include_usage":true"#) == true)

            let second = await read(try await chat.stream(Self.request))
            #expect(second.text == "Hello")
            #expect(upstream.connections == 1, "the connection is used again")
        }
    }

    @Test(
        "an answer is whole with a finish reason or with [DONE], even when the connection breaks",
        arguments: [
            ([Wire.text("Hello"), Wire.end], Upstream.End.whole), ([Wire.text("Hello"), Wire.done], .whole),
            ([Wire.text("Hello"), Wire.done, Wire.broken], .whole),
            // What is broken off must have come before: in one piece with the first text.
            ([Wire.text("Hello") + Wire.end], .never), ([Wire.text("Hello") + Wire.done], .never),
        ])
    func isWhole(pieces: [String], end: Upstream.End) async throws {
        try await withUpstream([.stream(pieces, end)]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request)
            if end == .never { await upstream.cut() }
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error == nil)
        }
    }

    @Test(
        "a whole answer ends soon although the connection stays",
        arguments: [
            Wire.text("Hello") + Wire.end, Wire.text("Hello") + Wire.done, Wire.text("Hello") + Wire.end + Wire.done,
        ])
    func ends(piece: String) async throws {
        let time = ManualTime()
        try await withUpstream([.stream([piece], .never)]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            async let result = read(stream)
            await time.waitForWake(in: piece.contains("[DONE]") ? .milliseconds(100) : .seconds(1))
            time.advance(by: .seconds(1))
            #expect(await result.text == "Hello")
            #expect(await result.error == nil)
        }
    }

    @Test(
        "an answer that is cut after its first text is an error",
        arguments: [
            ([Wire.role, Wire.text("Hello")], Upstream.End.never, Outcome.Cause.truncated),
            ([Wire.role, Wire.text("Hello")], .whole, .truncated),
            ([Wire.text("Hello"), "data: {\"choi"], .whole, .truncated),
            ([Wire.text("Hello"), Wire.reported, Wire.end, Wire.done], .whole, .truncated),
            ([Wire.text("Hello"), Wire.broken, Wire.text("!"), Wire.end, Wire.done], .whole, .truncated),
        ])
    func cut(pieces: [String], end: Upstream.End, cause: Outcome.Cause) async throws {
        let witness = Witness()
        let answers = [Upstream.Answer.stream(pieces, end), .stream([Wire.text("again"), Wire.done])]
        try await withUpstream(answers) { upstream, client in
            let stream = try await chat(upstream, client, retries: 2, [witness]).stream(Self.request)
            if end == .never { await upstream.cut() }
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error?.outcome == .failure(cause))
            #expect(witness.outcomes == [.failure(cause)], "the gates see it")
            #expect(upstream.requests.count == 1)
            #expect(await read(stream).error == nil, "it has ended")
        }
    }

    @Test(
        "what goes wrong before the first text is tried again, and the gates see it",
        arguments: [
            (Upstream.Answer.stream([Wire.role], .cut), Outcome.Cause.transport), (.stream([Wire.role]), .transport),
            (.stream([Wire.role, Wire.broken]), .malformed), (.stream([Wire.role, Wire.reported]), .serverError),
            (.plain(200, ["content-type": "application/json"], #"{"error":{"message":"no","code":503}}"#), .overloaded),
            (.plain(200, ["content-type": "application/json"], "{}"), .malformed), (.plain(500), .serverError),
            (.reset, .transport),
        ])
    func before(answer: Upstream.Answer, cause: Outcome.Cause) async throws {
        let witness = Witness()
        try await withUpstream([answer, .stream([Wire.text("Hello"), Wire.end, Wire.done])]) { upstream, client in
            let result = await read(try await chat(upstream, client, retries: 1, [witness]).stream(Self.request))
            #expect(result.text == "Hello")
            #expect(result.error == nil)
            #expect(witness.outcomes == [.failure(cause), .success])
        }
    }

    @Test("an answer without any text is whole when it says so")
    func empty() async throws {
        try await withUpstream([.stream([Wire.role, Wire.end, Wire.done]), .stream([Wire.done], .never)]) {
            upstream, client in
            for _ in 0..<2 {
                let result = await read(try await chat(upstream, client).stream(Self.request))
                #expect(result.text == "" && result.error == nil)
            }
        }
    }

    @Test("a target that answers and never says a word is a timeout, however often it says that it lives")
    func stuck() async throws {
        let time = ManualTime()
        let alive = Array(repeating: Wire.alive, count: 50)
        try await withUpstream([.stream([Wire.role] + alive, .never)]) { upstream, client in
            let chat = try chat(upstream, client, time: time)
            async let error = failure { try await chat.stream(Self.request) }
            for await _ in upstream.arrivals { break }
            await time.waitForSleepers()
            time.advance(by: .seconds(60))
            #expect(await error?.underlying?.outcome == .failure(.timeout))
        }
    }

    @Test("a stream that falls silent is cut, however often it says that it lives")
    func stall() async throws {
        let time = ManualTime()
        let alive = Array(repeating: Wire.alive, count: 50)
        try await withUpstream([.stream([Wire.text("Hello"), Wire.role] + alive, .never)]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            async let result = read(stream)
            // When the reader has come to wait, nobody can see; so time goes on until it has its answer.
            let clock = Task {
                while !Task.isCancelled {
                    time.advance(by: .seconds(10))
                    await Task.yield()
                }
            }
            let error = await result.error
            clock.cancel()
            #expect(await result.text == "Hello")
            #expect(error?.outcome == .failure(.truncated))
            #expect((error?.underlying as? UpstreamError)?.outcome == .failure(.timeout))
        }
    }

    @Test("cancelling the reader ends the stream as cancelled")
    func cancellation() async throws {
        try await withUpstream([.stream([Wire.text("Hello")], .never)]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request)
            let reader = Task { await read(stream) }
            reader.cancel()
            #expect(await reader.value.error?.outcome == .neutral(.cancelled))
        }
    }

    @Test("of two readers at the same time one is refused, and the other goes on")
    func twoReaders() async throws {
        try await withUpstream([.stream([Wire.text("Hello")], .never)]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request)
            var first = stream.makeAsyncIterator()
            #expect(try await first.next()?.content == "Hello")
            await withTaskGroup(of: UpstreamError?.self) { readers in
                for _ in 0..<2 { readers.addTask { await read(stream).error } }
                #expect(await readers.next()??.outcome == .neutral(.invalidRequest))
                await upstream.cut()
                #expect(await readers.next()??.outcome == .failure(.truncated))
            }
        }
    }

    @Test("what an engine thinks before it answers counts as text")
    func reasoning() async throws {
        let thought = #"data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}"# + "\n\n"
        try await withUpstream([.stream([thought], .never)]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request)
            await upstream.cut()
            var iterator = stream.makeAsyncIterator()
            #expect(try await iterator.next()?.choices.first?.delta.reasoning == "hm")
            #expect(await read(stream).error?.outcome == .failure(.truncated))
        }
    }
}
#endif
