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
    private static let role = #"data: {"id":"s","choices":[{"delta":{"role":"assistant","content":""}}]}"# + "\n\n"
    private static let end = #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
    private static let usage =
        #"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"# + "\n\n"
    private static let done = "data: [DONE]\n\n"
    private static let broken = #"data: {"choices":[{"delta":{"cont"# + "\n\n"
    private static let reported = #"data: {"error":{"message":"out of memory","code":500}}"# + "\n\n"

    private static func text(_ text: String) -> String {
        #"data: {"choices":[{"delta":{"content":"\#(text)"}}]}"# + "\n\n"
    }

    private func chat(
        _ upstream: Upstream, _ client: HTTPClient, retries: Int = 0, time: any TimeSource = .system,
        _ gates: [any Gate] = []
    ) throws -> ChatClient {
        let http = PolicyHTTPClient(client, policy: try policy(retries: retries, gates), time: time)
        return try ChatClient(baseURL: upstream.url("/v1"), http: http)
    }

    /// The text of a stream, and the error that ended it.
    private func read(_ stream: ChatStream) async -> (text: String, error: UpstreamError?) {
        var text = ""
        do {
            for try await chunk in stream { text += chunk.content }
            return (text, nil)
        } catch {
            return (text, error)
        }
    }

    @Test("a whole stream is passed on chunk by chunk, comments left out")
    func whole() async throws {
        let pieces = [
            ": keep-alive\n\n", Self.role, Self.text("Hel"), ": keep-alive\n\n", Self.text("lo"), Self.end, Self.usage,
            Self.done,
        ]
        try await withUpstream([.stream(pieces), .stream(pieces)]) { upstream, client in
            let chat = try chat(upstream, client)
            var chunks: [ChatChunk] = []
            for try await chunk in try await chat.stream(Self.request) { chunks.append(chunk) }
            #expect(chunks.map(\.content) == ["", "Hel", "lo", "", ""])
            #expect(chunks.first?.choices.first?.delta.role == "assistant")
            #expect(chunks[3].choices.first?.finishReason == "stop")
            #expect(chunks.last?.usage == Usage(promptTokens: 1, completionTokens: 2, totalTokens: 3))
            #expect(upstream.requests.first?.body.contains(#""include_usage":true"#) == true)

            let second = await read(try await chat.stream(Self.request))
            #expect(second.text == "Hello")
            #expect(upstream.connections == 1, "the connection is used again")
        }
    }

    @Test(
        "an answer is whole with a finish reason or with [DONE], even when the connection breaks",
        arguments: [
            ([text("Hello"), end], Upstream.End.whole), ([text("Hello"), done], .whole),
            ([text("Hello"), done, broken], .whole),
            // What is broken off must have come before: in one piece with the first text.
            ([text("Hello") + end], .never), ([text("Hello") + done], .never),
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
            text("Hello") + end, text("Hello") + done, text("Hello") + end + done,
        ])
    func ends(piece: String) async throws {
        let time = ManualTime()
        try await withUpstream([.stream([piece], .never)]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            async let result = read(stream)
            await time.waitForSleepers()
            time.advance(by: .seconds(1))
            #expect(await result.text == "Hello")
            #expect(await result.error == nil)
        }
    }

    @Test(
        "an answer that is cut after its first text is an error",
        arguments: [
            ([role, text("Hello")], Upstream.End.never, Outcome.Cause.truncated),
            ([role, text("Hello")], .whole, .truncated), ([text("Hello"), "data: {\"choi"], .whole, .truncated),
            ([text("Hello"), reported, end, done], .whole, .truncated),
            ([text("Hello"), broken, text("!"), end, done], .whole, .malformed),
        ])
    func cut(pieces: [String], end: Upstream.End, cause: Outcome.Cause) async throws {
        let witness = Witness()
        let answers = [Upstream.Answer.stream(pieces, end), .stream([Self.text("again"), Self.done])]
        try await withUpstream(answers) { upstream, client in
            let stream = try await chat(upstream, client, retries: 2, [witness]).stream(Self.request)
            if end == .never { await upstream.cut() }
            #expect(witness.outcomes == [.success])
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error?.outcome == .failure(cause))
            #expect(upstream.requests.count == 1)
            #expect(await read(stream).error == nil, "it has ended")
        }
    }

    @Test(
        "what goes wrong before the first text is tried again, and the gates see it",
        arguments: [
            (Upstream.Answer.stream([role], .cut), Outcome.Cause.transport), (.stream([role]), .transport),
            (.stream([role, broken]), .malformed), (.stream([role, reported]), .serverError),
            (.plain(200, ["content-type": "application/json"], #"{"error":{"message":"no","code":503}}"#), .overloaded),
            (.plain(200, ["content-type": "application/json"], "{}"), .malformed), (.plain(500), .serverError),
            (.reset, .transport),
        ])
    func before(answer: Upstream.Answer, cause: Outcome.Cause) async throws {
        let witness = Witness()
        try await withUpstream([answer, .stream([Self.text("Hello"), Self.end, Self.done])]) { upstream, client in
            let result = await read(try await chat(upstream, client, retries: 1, [witness]).stream(Self.request))
            #expect(result.text == "Hello")
            #expect(result.error == nil)
            #expect(witness.outcomes == [.failure(cause), .success])
        }
    }

    @Test("an answer without any text is whole when it says so")
    func empty() async throws {
        try await withUpstream([.stream([Self.role, Self.end, Self.done]), .stream([Self.done], .never)]) {
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
        let alive = Array(repeating: ": keep-alive\n\n", count: 50)
        try await withUpstream([.stream([Self.role] + alive, .never)]) { upstream, client in
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
        let alive = Array(repeating: ": keep-alive\n\n", count: 50)
        try await withUpstream([.stream([Self.text("Hello"), Self.role] + alive, .never)]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            async let result = read(stream)
            await time.waitForSleepers()
            time.advance(by: .seconds(30))
            let error = await result.error
            #expect(await result.text == "Hello")
            #expect(error?.outcome == .failure(.truncated))
            #expect((error?.underlying as? UpstreamError)?.outcome == .failure(.timeout))
        }
    }

    @Test("cancelling the reader ends the stream as cancelled")
    func cancellation() async throws {
        try await withUpstream([.stream([Self.text("Hello")], .never)]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request)
            let reader = Task { await read(stream) }
            reader.cancel()
            #expect(await reader.value.error?.outcome == .neutral(.cancelled))
        }
    }

    @Test("a second reader at the same time is refused, and the first goes on")
    func twoReaders() async throws {
        let time = ManualTime()
        try await withUpstream([.stream([Self.text("Hello")], .never)]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            async let first = read(stream)
            await time.waitForSleepers()
            #expect(await read(stream).error?.outcome == .neutral(.invalidRequest))
            time.advance(by: .seconds(30))
            #expect(await first.error?.outcome == .failure(.truncated))
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
