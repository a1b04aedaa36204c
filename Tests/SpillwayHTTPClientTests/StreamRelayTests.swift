#if HTTPClientSupport
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("A relay of streams", .timeLimit(.minutes(10)))
struct StreamRelayTests {
    private let other = Relayed.Script.pieces([Wire.text("another"), Wire.done])

    @Test("what comes before the commit point is held, and passed on with it")
    func held() async {
        let stream = Relayed()
        #expect(await stream.attempt(.pieces([Wire.role, Wire.alive, Wire.text("Hi"), Wire.end, Wire.usage])) == nil)
        #expect(stream.pieces.map(\.kind) == [.empty, .content, .empty, .usage, .end])
        #expect(stream.journal.isWhole && stream.journal.failure == nil)
        #expect(stream.journal.usage == Usage(input: 1, output: 2))
    }

    @Test("nothing of an attempt that fails before the commit point is seen, but it counts")
    func before() async throws {
        for commit in [CommitPoint.tokens(3), .wholeAnswer] {
            let stream = Relayed(commit: commit)
            let first = await stream.attempt(.cut([Wire.text("12345678")]))
            #expect(first?.outcome == .failure(.transport))
            #expect(stream.pieces.isEmpty && !stream.journal.isCommitted)
            #expect(await stream.attempt(other) == nil)
            #expect(stream.text == "another")
            // 10 of the prompt and 2 of the first, 10 and 2 of the second.
            #expect(
                stream.journal.usage
                    == Usage(input: 20, output: 4, requests: 2, source: .metered))
        }
    }

    @Test("after the commit point a failure is final, unless the caller chose otherwise")
    func fails() async {
        for (script, cause) in [
            (Relayed.Script.cut([Wire.text("Hi")]), Outcome.Cause.transport), (.pieces([Wire.text("Hi")]), .transport),
            (.pieces([Wire.text("Hi"), Wire.broken]), .malformed),
            (.pieces([Wire.text("Hi"), Wire.reported]), .serverError),
        ] {
            let stream = Relayed()
            let error = await stream.attempt(script)
            #expect(error?.outcome == .failure(.truncated))
            #expect((error?.underlying as? UpstreamError)?.outcome == .failure(cause))
            // And should anything try again all the same, the target is not even asked.
            #expect(await stream.attempt(other)?.outcome == .neutral(.truncated))
            #expect(stream.text == "Hi" && stream.prefills.count == 1)
        }
    }

    @Test("restarted: what was passed on is skipped, however the new answer is cut into chunks")
    func restart() async {
        let answer = "Hello, wörld! 🌍 And more."
        let characters = answer.map(String.init)
        for cut in characters.indices.dropFirst() {
            for size in [1, 3, 7, 100] {
                let stream = Relayed(.restart)
                let first = characters[..<cut].map { Wire.text($0) }
                #expect(await stream.attempt(.cut([Wire.role] + first))?.outcome == .failure(.transport))
                var rest = characters[...]
                var second = [Wire.role]
                while !rest.isEmpty {
                    second.append(Wire.text(rest.prefix(size).joined()))
                    rest = rest.dropFirst(size)
                }
                #expect(await stream.attempt(.pieces(second + [Wire.end, Wire.done])) == nil)
                #expect(stream.text == answer)
                #expect(stream.pieces.filter { $0.kind == .empty }.count == 2, "one role, one finish reason")
                #expect(stream.journal.usage?.source == .metered)
            }
            await Task.yield()
        }
    }

    @Test("restarted: a chunk of which a part is new keeps all but its text")
    func trimmed() async {
        let stream = Relayed(.restart)
        _ = await stream.attempt(.cut([Wire.text("Hello")]))
        let chunk =
            #"{"id":"b","n":9007199254740993,"choices":[{"index":0,"delta":{"content":"Hello you"},"logprobs":null}]}"#
        #expect(await stream.attempt(.pieces([Wire.event(chunk), Wire.end])) == nil)
        #expect(
            stream.pieces[1].data
                == #"{"choices":[{"delta":{"content":" you"},"index":0,"logprobs":null}],"#
                + #""id":"b","n":9007199254740993}"#)
        #expect(stream.text == "Hello you")
    }

    @Test(
        "restarted: two answers are never mixed, and the first failure is told",
        arguments: [
            [Wire.text("Hallo"), Wire.end], [Wire.text("Hel"), Wire.end], [Wire.done],
            [Wire.thought("Hello"), Wire.end],
            [Wire.text("He"), Wire.call, Wire.end], [Wire.text("He"), Wire.other],
        ])
    func differs(second: [String]) async {
        let stream = Relayed(.restart)
        let first = await stream.attempt(.pieces([Wire.text("Hello"), Wire.reported]))
        #expect(first?.outcome == .failure(.serverError), "to be tried again")
        let error = await stream.attempt(.pieces(second))
        #expect(error?.outcome == .neutral(.truncated), "this target did nothing wrong")
        #expect(error?.status == 500)
        #expect(error?.message.contains("out of memory") == true)
        #expect(stream.text == "Hello")
        let seen = stream.journal.failure(of: .operation(error!))
        #expect(seen?.outcome == .failure(.truncated))
        #expect((seen?.underlying as? UpstreamError)?.outcome == .failure(.serverError))
    }

    @Test("restarted: reasoning is skipped as well, and each attempt may fail at another place")
    func reasoning() async {
        let stream = Relayed(.restart)
        _ = await stream.attempt(.cut([Wire.thought("hm"), Wire.text("He")]))
        _ = await stream.attempt(.cut([Wire.thought("h")]))
        _ = await stream.attempt(.cut([Wire.thought("hm"), Wire.text("Hell")]))
        #expect(await stream.attempt(.pieces([Wire.thought("hm"), Wire.text("Hello"), Wire.done])) == nil)
        #expect(stream.text == "Hello")
        #expect(stream.pieces.compactMap { $0.chunk?.choices.first?.delta.reasoning } == ["hm"])
    }

    @Test("continued: the target gets what was passed on, and its answer follows")
    func continued() async {
        let stream = Relayed(.continue())
        let first = await stream.attempt(.cut([Wire.role, Wire.text("Hello, "), Wire.text("wo")]))
        #expect(first?.outcome == .failure(.transport))
        #expect(await stream.attempt(.cut([Wire.role, Wire.text("r")]))?.outcome.cause == .transport)
        #expect(await stream.attempt(.pieces([Wire.role, Wire.text("ld"), Wire.end, Wire.usage])) == nil)
        #expect(stream.prefills.map { $0?.text } == [nil, "Hello, wo", "Hello, wor"])
        #expect(stream.prefills.map { $0?.tokens } == [nil, 3, 4])
        #expect(stream.text == "Hello, world")
        #expect(stream.journal.usage?.source == .metered)
    }

    @Test("continued: a target that rejects the prefill does not hide the real failure")
    func rejected() async {
        let stream = Relayed(.continue())
        _ = await stream.attempt(.pieces([Wire.text("Hello"), Wire.reported]))
        let refusal = UpstreamError("HTTP 400: no prefill", .neutral(.invalidRequest), status: 400)
        let error = await stream.attempt(.refused(refusal))
        #expect(error?.outcome == .neutral(.truncated))
        #expect(error?.status == 500)
        #expect(error?.description.contains("out of memory") == true)
        #expect(error?.description.contains("no prefill") == true)
        #expect(stream.journal.failure(of: .operation(error!))?.outcome == .failure(.truncated))
        let inBand = Relayed(.continue())
        _ = await inBand.attempt(.cut([Wire.text("Hello")]))
        let first = await inBand.attempt(.pieces([Wire.event(#"{"error":{"code":400,"message":"no prefill"}}"#)]))
        #expect(first?.outcome == .neutral(.truncated))
        #expect(inBand.text == "Hello")
    }

    @Test("continued: a target that is down may be followed by another")
    func down() async {
        let stream = Relayed(.continue())
        _ = await stream.attempt(.cut([Wire.text("Hello")]))
        let down = UpstreamError("HTTP 503", .failure(.overloaded), status: 503)
        #expect(await stream.attempt(.refused(down))?.outcome == .failure(.overloaded))
        #expect(await stream.attempt(.pieces([Wire.text("!"), Wire.done])) == nil)
        #expect(stream.text == "Hello!")
    }

    @Test("tool calls and several choices cannot be gone on with")
    func notPlain() async {
        for recovery in [StreamRecovery.restart, .continue()] {
            for piece in [Wire.call, Wire.other] {
                let stream = Relayed(recovery)
                let error = await stream.attempt(.cut([Wire.text("Hi"), piece]))
                #expect(error?.outcome == .failure(.truncated))
                #expect(await stream.attempt(other)?.outcome == .neutral(.truncated))
                #expect(stream.prefills.count == 1)
            }
        }
        let thinking = Relayed(.continue())
        #expect(await thinking.attempt(.cut([Wire.thought("hm"), Wire.text("Hi")]))?.outcome.cause == .truncated)
    }

    @Test("the answer always ends with one end mark")
    func endMark() async {
        for last in [[Wire.end], [Wire.done], [Wire.end, Wire.done], [Wire.end, Wire.done, Wire.text("late")]] {
            let stream = Relayed()
            #expect(await stream.attempt(.pieces([Wire.text("Hi")] + last)) == nil)
            #expect(stream.pieces.filter { $0.kind == .end }.count == 1)
            #expect(stream.pieces.last?.event.text == "data: [DONE]\n\n")
        }
    }

    @Test("a connection that breaks behind a whole answer breaks nothing")
    func cutAfterwards() async {
        for last in [Wire.end, Wire.done] {
            let stream = Relayed()
            #expect(await stream.attempt(.cut([Wire.text("Hi"), last])) == nil)
            #expect(stream.journal.isWhole)
        }
    }

    @Test("a request is changed so that it asks for the rest")
    func prefill() throws {
        func body(_ messages: String, _ style: Prefill.Style) throws -> String {
            let body = #"{"messages":[\#(messages)],"max_tokens":10,"seed":9007199254740993,"x":[1.5,null,true]}"#
            return String(
                decoding: try Prefill(text: "Hel", tokens: 3, style: style).body(Array(body.utf8)), as: UTF8.self)
        }
        let tail = #","seed":9007199254740993,"x":[1.5,null,true]}"#
        let user = #"{"content":"Hi","role":"user"}"#
        #expect(
            try body(user, .lastMessage)
                == #"{"max_tokens":7,"messages":[\#(user),{"content":"Hel","role":"assistant"}]"# + tail)
        #expect(
            try body(user + #",{"role":"assistant","content":"Oh! "}"#, .flags)
                == #"{"add_generation_prompt":false,"continue_final_message":true,"max_tokens":7,"messages":"#
                + #"[\#(user),{"content":"Oh! Hel","role":"assistant"}]"# + tail)
        for body in ["", "[]", "{}", #"{"messages":1}"#] {
            let error = #expect(throws: UpstreamError.self) { try Prefill(text: "x", tokens: 1).body(Array(body.utf8)) }
            #expect(error?.outcome == .neutral(.invalidRequest))
        }
    }
}
#endif
