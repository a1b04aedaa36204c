#if HTTPClientSupport
import Spillway
import SpillwayHTTPClient
import Testing

@Suite("What the bytes of a stream mean", .timeLimit(.minutes(10)))
struct ChatStreamDecoderTests {
    /// Everything that can be said of a stream.
    private struct Reading: Equatable {
        var pieces: [ChatPiece] = []
        var phase = ChatStreamDecoder.Phase.waiting
        var cause: Outcome.Cause?
        var usage: Usage?

        var text: String { pieces.map(\.text).joined() }
        var kinds: [ChatPiece.Kind] { pieces.map(\.kind) }
    }

    private func read(_ parts: [some Sequence<UInt8>], choices: Int = 1) -> Reading {
        var decoder = ChatStreamDecoder(choices: choices, limit: 1_000)
        var reading = Reading()
        for part in parts { reading.pieces += decoder.feed(part) }
        decoder.end()
        reading.phase = decoder.phase
        reading.cause = decoder.failure?.outcome.cause
        reading.usage = decoder.usage(promptTokens: 7)
        return reading
    }

    private func read(_ texts: [String], choices: Int = 1) -> Reading {
        read(texts.map { Array($0.utf8) }, choices: choices)
    }

    @Test("content, keep-alives, roles, usage and the end mark are told apart")
    func kinds() {
        let reading = read([
            Wire.alive, Wire.role, Wire.thought("hm"), Wire.text("Hi"), Wire.call,
            Wire.event(#"{"choices":[{"delta":{"refusal":"no"}}]}"#), Wire.event("{}"), "data:\n\n",
            Wire.end, Wire.usage, Wire.done,
        ])
        #expect(reading.kinds == [.empty, .content, .content, .content, .content, .empty, .empty, .usage, .end])
        #expect(reading.phase == .done)
        #expect(reading.cause == nil)
        #expect(reading.pieces[2].data == #"{"choices":[{"delta":{"content":"Hi"}}]}"#)
        #expect(reading.pieces.map(\.finishes) == [false, false, false, false, false, false, true, false, false])
    }

    @Test("only content is content, whatever keeps the connection alive")
    func waiting() {
        var decoder = ChatStreamDecoder()
        for text in [Wire.alive, Wire.role, Wire.event("{}"), Wire.event(#"{"choices":null}"#), Wire.usage] {
            _ = decoder.feed(Array(text.utf8))
            #expect(decoder.phase == .waiting)
            #expect(!decoder.isReached(.firstToken) && !decoder.isReached(.tokens(0)))
        }
        _ = decoder.feed(Array(Wire.text("12345").utf8))
        #expect(decoder.isReached(.firstToken) && decoder.isReached(.tokens(2)))
        #expect(!decoder.isReached(.tokens(3)) && !decoder.isReached(.wholeAnswer))
        _ = decoder.feed(Array(Wire.end.utf8))
        #expect(decoder.isReached(.tokens(3)) && decoder.isReached(.wholeAnswer))
    }

    @Test("a whole answer needs a finish reason or the end mark, and not both")
    func whole() {
        for last in [Wire.end, Wire.done, Wire.finish("length"), Wire.finish("tool_calls"), "data: [DONE] \n\n"] {
            #expect(read([Wire.text("Hi"), last]).cause == nil)
        }
        for last in ["", Wire.usage, Wire.finish(""), "data: [DONE]\n", Wire.alive] {
            #expect(read([Wire.text("Hi"), last]).cause == .transport)
        }
    }

    @Test("a filter that ends an answer is no error, an engine that gives up is one")
    func reasons() {
        let filtered = read([Wire.text("Hi"), Wire.finish("content_filter")])
        #expect(filtered.cause == nil && filtered.phase == .done)
        for reason in ["error", "abort"] {
            #expect(read([Wire.text("Hi"), Wire.finish(reason), Wire.done]).cause == .serverError)
        }
    }

    @Test("with several choices every one must finish")
    func choices() {
        #expect(read([Wire.text("a"), Wire.other, Wire.end]).cause == .transport)
        #expect(read([Wire.text("a"), Wire.end], choices: 2).cause == .transport)
        let second = Wire.event(#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#)
        #expect(read([Wire.text("a"), Wire.end, Wire.other, second], choices: 2).cause == nil)
    }

    @Test(
        "an error in the stream is never content, first or later, in every form",
        arguments: [
            (Wire.reported, Outcome.Cause.serverError),
            (Wire.event(#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#), .rateLimited),
            (Wire.event(#"{"error":"no"}"#), .serverError),
            (Wire.event(#"{"error":{"code":"content_filter","message":"no"}}"#), .contentFiltered),
            (Wire.event(#"{"error":{"code":503},"choices":[{"delta":{"content":"x"}}]}"#), .overloaded),
            (Wire.event(#"{"object":"error","message":"too long","code":400}"#), .invalidRequest),
            ("event: error\n" + Wire.event(#"{"message":"busy","code":529}"#), .overloaded),
            ("event: error\n" + Wire.event(#"{"error":{"code":429}}"#), .rateLimited),
            ("event: error\n" + Wire.event("boom"), .serverError),
            ("event: error\n" + Wire.text("x"), .serverError),
        ])
    func inBand(event: String, cause: Outcome.Cause) {
        #expect(read([event, Wire.text("late"), Wire.done]).cause == cause)
        let later = read([Wire.text("Hi"), event, Wire.text("late"), Wire.done])
        #expect(later.cause == cause)
        #expect(later.text == "Hi")
    }

    @Test("a good answer may say that there is no error")
    func noError() {
        #expect(read([Wire.event(#"{"error":null,"choices":[{"delta":{"content":"Hi"}}]}"#), Wire.done]).text == "Hi")
    }

    @Test(
        "a malformed chunk ends the stream, and nothing of it leaks",
        arguments: [
            Wire.broken, Wire.event("[]"), Wire.event("hello"), Wire.event(#"{"choices":5}"#),
            Wire.event(#"{"choices":[{"delta":{"content":5}}]}"#), Wire.event(#"{"choices":[{"delta":"x"}]}"#),
            Wire.text(String(repeating: "x", count: 1_000)),
        ])
    func malformed(event: String) {
        let reading = read([Wire.text("Hi"), event, Wire.text("late"), Wire.end, Wire.done])
        #expect(reading.cause == .malformed)
        #expect(reading.text == "Hi")
    }

    @Test("nothing that comes after a whole answer spoils it")
    func after() {
        for late in [Wire.broken, Wire.reported, Wire.text(String(repeating: "x", count: 1_000))] {
            for end in [Wire.end, Wire.done] {
                let reading = read([Wire.text("Hi"), end, late])
                #expect(reading.cause == nil && reading.phase == .done && reading.text == "Hi")
            }
        }
    }

    @Test("content that is no text counts as content")
    func opaque() {
        for content in [#""content":[{"type":"text"}]"#, #""audio":{"id":"a"}"#, #""function_call":{"name":"f"}"#] {
            let reading = read([Wire.event("{\"choices\":[{\"delta\":{\(content)}}]}"), Wire.done])
            #expect(reading.kinds == [.content, .end])
            #expect(reading.usage?.answerTokens == 1)
        }
    }

    @Test("usage: the last figures of the provider, never their sum, else an estimate, and it says which")
    func usage() {
        func figures(_ prompt: Int, _ completion: Int, choices: String = "[]") -> String {
            let total = prompt + completion
            return Wire.event(
                """
                {"choices":\(choices),"usage":\
                {"prompt_tokens":\(prompt),"completion_tokens":\(completion),"total_tokens":\(total)}}
                """)
        }
        let text = #"[{"delta":{"content":"12345678"}}]"#
        #expect(read([Wire.role]).usage == nil)
        #expect(
            read([Wire.text("12345678"), Wire.end]).usage
                == Usage(input: 7, output: 2, source: .metered))
        // Cumulative, in every chunk.
        #expect(
            read([figures(5, 1, choices: text), figures(5, 2, choices: text), Wire.end, figures(5, 3)]).usage
                == Usage(input: 5, output: 3))
        // One that only held a place, and a stream that was cut after it.
        #expect(
            read([figures(5, 0), Wire.text("12345678"), Wire.end]).usage
                == Usage(input: 5, output: 2, source: .metered))
        #expect(
            read([figures(5, 9, choices: text), Wire.text("1234")]).usage
                == Usage(input: 5, output: 9, source: .metered))
        // Figures that make no sense are passed over.
        #expect(
            read([Wire.text("1234"), Wire.event(#"{"choices":[],"usage":"lots"}"#), Wire.end]).usage?.source
                == .metered)
        #expect(read([Wire.text("1234"), Wire.end, figures(5, 0)]).usage?.answerTokens == 1)
    }

    @Test("estimates over many chunks add up to a token for every four bytes")
    func estimates() {
        let reading = read((0..<10).map { _ in Wire.text("a") } + [Wire.end])
        #expect(reading.pieces.map(\.tokens).reduce(0, +) == 3)
    }

    @Test("wherever the bytes are split, the same is read", arguments: 0..<12 as Range<UInt64>)
    func splits(seed: UInt64) async {
        let random = RandomSource.seeded(seed)
        let events = [
            Wire.alive, Wire.role, Wire.text("Grüße 🌍"), Wire.thought("hm"), Wire.call, Wire.other, Wire.end,
            Wire.usage, Wire.done, Wire.broken, Wire.reported, "event: error\n" + Wire.event("boom"),
        ]
        // The later ones end a stream, so that the first must be likelier.
        let text = (0..<12).map { _ in events[Int(random.next() % (random.next() % 4 == 0 ? 12 : 6))] }.joined()
        let bytes = Array(text.utf8)
        let whole = read([bytes])
        #expect(read(bytes.map { CollectionOfOne($0) }) == whole)
        for split in bytes.indices {
            #expect(read([bytes[..<split], bytes[split...]]) == whole, "split at \(split)")
            if split % 64 == 0 { await Task.yield() }
        }
    }
}
#endif
