import NIOCore
import Spillway
import SpillwayHTTPClient
import Testing

@testable import Gateway

struct WholeAnswerTests {
    private func answer(_ json: String) throws(UpstreamError) -> WholeAnswer {
        try WholeAnswer(ByteBuffer(string: json), contentType: "application/json", promptTokens: 7)
    }

    @Test func `figures that are too large to add are as large as can be`() throws {
        let most = Int.max
        let usage = try answer(#"{"usage":{"prompt_tokens":\#(most),"completion_tokens":\#(most)}}"#).usage
        #expect(usage == Usage(input: Usage.most, output: Usage.most))
    }

    @Test(arguments: ["null", "{}", "5", #"{"prompt_tokens":1e300}"#, #"{"prompt_tokens":3,"completion_tokens":"x"}"#])
    func `figures that make no sense are estimated`(usage: String) throws {
        let usage = try answer(#"{"usage":\#(usage),"choices":[{"message":{"content":"12345"}}]}"#).usage
        #expect(usage == Usage(input: 7, output: 2, source: .metered))
    }

    @Test(
        arguments: [
            (#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#, 429, .rateLimited),
            (#"{"error":{"message":"busy","code":503}}"#, 503, .overloaded),
            (#"{"error":{"message":"long","code":"context_length_exceeded"}}"#, 400, .contextTooLong),
            ("{\n \"error\": {\n  \"message\": \"what\"\n }\n}", 500, .serverError),
            (#"{"object":"error","message":"no","type":"invalid_request_error"}"#, 400, .invalidRequest),
            (#"{"error":"gone"}"#, 500, .serverError),
        ] as [(String, Int, Outcome.Cause)])
    func `an error with a status of success is what its code says`(
        json: String, status: Int, cause: Outcome.Cause
    ) throws {
        let error = #expect(throws: UpstreamError.self) { try answer(json) }
        #expect(error?.status == status)
        #expect(error?.outcome.cause == cause)
    }

    @Test func `an answer can be passed on as a stream of a chunk for each choice, its usage and its end`() throws {
        let json = #"""
            {"id":"a","object":"chat.completion","created":1,"model":"m","usage":{"prompt_tokens":3,"completion_tokens":4},
             "choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"},
              {"index":1,"message":{"role":"assistant","content":null,
               "tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},
               "finish_reason":"tool_calls"}]}
            """#
        let events = String(buffer: try answer(json).events()).components(separatedBy: "\n\n").dropLast()
        #expect(events.count == 4 && events.last == "data: [DONE]")
        #expect(events[0].contains(#""delta":{"content":"hi","role":"assistant"},"finish_reason":"stop","index":0"#))
        #expect(events[0].contains(#""object":"chat.completion.chunk""#) && !events[0].contains("usage"))
        #expect(events[1].contains(#""id":"t","index":0,"type":"function""#))
        #expect(events[2].contains(#""choices":[]"#) && events[2].contains(#""completion_tokens":4"#))
        var decoder = ChatStreamDecoder(limit: .max)
        _ = decoder.feed(Array(events.joined(separator: "\n\n").utf8) + Array("\n\n".utf8))
        #expect(decoder.failure == nil)
    }
}
