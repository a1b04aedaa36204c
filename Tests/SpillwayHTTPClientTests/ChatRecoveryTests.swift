#if HTTPClientSupport
import AsyncHTTPClient
import Foundation
import Spillway
import SpillwayHTTPClient
import SpillwayTesting
import Testing

@Suite("A chat client, streams that fail after their first text", .timeLimit(.minutes(10)))
struct ChatRecoveryTests {
    private static let request = ChatRequest(
        model: "m", messages: [ChatMessage(role: "user", content: "12345678")], maxTokens: 64)
    /// Some text and then an error, so that what came before is never lost on the way.
    private static let failing = Upstream.Answer.stream([Wire.role, Wire.text("Hello"), Wire.reported])

    private func chat(
        _ upstream: Upstream, _ client: HTTPClient, retries: Int = 2, time: any TimeSource = .system,
        _ gates: [any Gate] = []
    ) throws -> ChatClient {
        let http = PolicyHTTPClient(client, policy: try policy(retries: retries, gates), time: time)
        return try ChatClient(baseURL: upstream.url("/v1"), http: http)
    }

    @Test("a restarted answer is one answer")
    func restart() async throws {
        let witness = Witness()
        let again = Upstream.Answer.stream([Wire.role, Wire.text("Hel"), Wire.text("lo you"), Wire.end, Wire.done])
        try await withUpstream([Self.failing, again]) { upstream, client in
            let stream = try await chat(upstream, client, [witness]).stream(Self.request, recovery: .restart)
            let result = await read(stream)
            #expect(result.text == "Hello you")
            #expect(result.error == nil)
            #expect(upstream.requests.count == 2)
            #expect(upstream.requests[0].body == upstream.requests[1].body)
            #expect(witness.outcomes == [.failure(.serverError), .success])
            #expect(await stream.report.attempts.count == 2)
            // 2 + 2 for the first, 2 + 3 for the second.
            #expect(
                stream.usage == Usage(input: 4, output: 5, requests: 2, source: .metered))
        }
    }

    @Test("an answer that would differ is not mixed into the first, whose failure is told")
    func differs() async throws {
        let witness = Witness()
        let other = Upstream.Answer.stream([Wire.text("Bonjour"), Wire.end, Wire.done])
        try await withUpstream([Self.failing, other, other]) { upstream, client in
            let stream = try await chat(upstream, client, [witness]).stream(Self.request, recovery: .restart)
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error?.outcome == .failure(.truncated))
            #expect(result.error?.message.contains("out of memory") == true)
            #expect(upstream.requests.count == 2)
            #expect(witness.outcomes == [.failure(.serverError), .neutral(.truncated)])
        }
    }

    @Test("a continued answer is asked for with what there is of it")
    func continues() async throws {
        let rest = Upstream.Answer.stream([Wire.role, Wire.text(" you"), Wire.end, Wire.usage, Wire.done])
        try await withUpstream([Self.failing, rest]) { upstream, client in
            let stream = try await chat(upstream, client).stream(Self.request, recovery: .continue())
            let result = await read(stream)
            #expect(result.text == "Hello you")
            #expect(result.error == nil)
            let body = try JSONSerialization.jsonObject(with: Data(upstream.requests[1].body.utf8)) as? [String: Any]
            #expect(body?["continue_final_message"] as? Bool == true)
            #expect(body?["add_generation_prompt"] as? Bool == false)
            #expect(body?["stream"] as? Bool == true)
            #expect(body?["max_tokens"] as? Int == 62)
            let messages = body?["messages"] as? [[String: String]]
            #expect(messages?.last == ["role": "assistant", "content": "Hello"])
            #expect(messages?.count == 2)
            #expect(stream.usage == Usage(input: 3, output: 4, requests: 2, source: .metered))
        }
    }

    @Test("a target that rejects the prefill does not hide the real failure, and is not blamed")
    func rejected() async throws {
        let witness = Witness()
        let refusal = Upstream.Answer.plain(400, [:], #"{"error":{"message":"no prefill"}}"#)
        try await withUpstream([Self.failing, refusal, refusal]) { upstream, client in
            let stream = try await chat(upstream, client, [witness]).stream(Self.request, recovery: .continue())
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error?.outcome == .failure(.truncated))
            #expect(result.error?.message.contains("out of memory") == true)
            #expect(upstream.requests.count == 2, "and is not asked again")
            #expect(witness.outcomes == [.failure(.serverError), .neutral(.truncated)])
        }
    }

    @Test("when no other attempt succeeds, the first failure is told", arguments: [0, 1, 2])
    func exhausted(retries: Int) async throws {
        try await withUpstream([Self.failing, .plain(503), .plain(502)]) { upstream, client in
            let stream = try await chat(upstream, client, retries: retries).stream(Self.request, recovery: .restart)
            let result = await read(stream)
            #expect(result.text == "Hello")
            #expect(result.error?.outcome == .failure(.truncated))
            #expect(result.error?.status == 500)
            #expect(upstream.requests.count == 1 + retries)
        }
    }

    @Test("the whole answer as commit point hides every fault")
    func wholeAnswer() async throws {
        let good = Upstream.Answer.stream([Wire.text("good"), Wire.end, Wire.done])
        try await withUpstream([Self.failing, .stream([Wire.text("half")]), good]) { upstream, client in
            let result = await read(try await chat(upstream, client).stream(Self.request, commit: .wholeAnswer))
            #expect(result.text == "good" && result.error == nil)
            #expect(upstream.requests.count == 3)
        }
    }

    @Test("a content filter ends an answer, and is not tried again")
    func filtered() async throws {
        let witness = Witness()
        let answer = Upstream.Answer.stream([Wire.text("So"), Wire.finish("content_filter"), Wire.done])
        try await withUpstream([answer]) { upstream, client in
            let stream = try await chat(upstream, client, [witness]).stream(Self.request)
            #expect(await read(stream).error == nil)
            #expect(witness.outcomes == [.success])
        }
    }

    @Test("a slow reader is no stall, and the upstream waits for it")
    func slowReader() async throws {
        let time = ManualTime()
        let answer = Upstream.Answer.stream([Wire.text("one"), Wire.text("two"), Wire.end, Wire.done])
        try await withUpstream([answer]) { upstream, client in
            let stream = try await chat(upstream, client, time: time).stream(Self.request)
            // The first piece waits to be read.
            time.advance(by: .seconds(3_600))
            let result = await read(stream)
            #expect(result.text == "onetwo" && result.error == nil)
        }
    }

    @Test("a reader that leaves ends the call", arguments: [true, false])
    func leaves(reads: Bool) async throws {
        let witness = Witness()
        try await withUpstream([.stream([Wire.text("Hello")], .never)]) { upstream, client in
            var stream: ChatStream? = try await chat(upstream, client, [witness]).stream(Self.request)
            if reads {
                var iterator = stream?.makeAsyncIterator()
                #expect(try await iterator?.next()?.content == "Hello")
                iterator = nil
            }
            stream = nil
            while witness.outcomes.isEmpty { await Task.yield() }
            #expect(witness.outcomes == [.neutral(.cancelled)])
        }
    }

    @Test("a stream knows its model, and its call says that it streams")
    func model() async throws {
        let witness = Witness()
        let chunk = Wire.event(#"{"model":"m-2","choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#)
        try await withUpstream([.stream([chunk, Wire.done])]) { upstream, client in
            let stream = try await chat(upstream, client, [witness]).stream(Self.request)
            #expect(stream.model == "m-2")
            #expect(await read(stream).text == "Hi")
            #expect(witness.calls.map(\.streams) == [true])
            #expect(await stream.report.ending == .completed)
        }
    }
}
#endif
