import Testing

@testable import Replay

@Suite("Judging streams")
struct StreamJudgeTests {
    private let content = [
        #"{"choices":[{"delta":{"role":"assistant"},"finish_reason":null}]}"#,
        #"{"choices":[{"delta":{"content":"one tw"},"finish_reason":null}]}"#,
        #"{"choices":[{"delta":{"content":"o "}}]}"#,
        #"{"choices":[{"delta":{"content":"three"}}],"error":null}"#,
    ]
    private let finish = #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#
    private let usage = #"{"choices":[],"usage":{"completion_tokens":3}}"#

    private func verdict(
        _ data: [String], words: Int = 3, name: String? = nil, ending: StreamJudge.Ending = .clean
    ) -> Outcome {
        var judge = StreamJudge(expectedWords: words)
        for text in data { _ = judge.take(ServerSentEvent(name: name, data: text)) }
        return judge.verdict(ending)
    }

    @Test("a whole stream is good, even if the connection breaks after its end")
    func good() {
        #expect(verdict(content + [finish, usage, "[DONE]"]) == .good)
        #expect(verdict(content + [finish, usage, "[DONE]"], ending: .lost) == .good)
    }

    @Test("a clean end without finish reason or without [DONE] is truncated, never good")
    func truncated() {
        #expect(verdict(content) == .truncated)
        #expect(verdict(content + [finish, usage]) == .truncated)
        #expect(verdict(content + ["[DONE]"]) == .truncated)
        #expect(verdict([]) == .truncated)
    }

    @Test("a connection lost before the end is a failure of its own")
    func lost() {
        #expect(verdict(content, ending: .lost) == .failed("connection-lost"))
    }

    @Test("an error in the stream wins over what follows")
    func inBand() {
        let error = #"{"error":{"message":"no","type":"server_error"}}"#
        #expect(verdict([error]) == .failed("in-band-error"))
        #expect(verdict(content + [error, finish, "[DONE]"]) == .failed("in-band-error"))
        #expect(verdict([error], ending: .lost) == .failed("in-band-error"))
        #expect(verdict(["not JSON"], name: "error") == .failed("in-band-error"))
    }

    @Test("a broken chunk and a wrong amount of content are failures")
    func wrongContent() {
        #expect(verdict(content + ["{\"choi", finish, "[DONE]"]) == .failed("malformed-chunk"))
        #expect(verdict(content + [finish, "[DONE]"], words: 4) == .failed("wrong-length"))
        #expect(verdict(content + content + [finish, "[DONE]"]) == .failed("wrong-length"))
    }

    @Test("only content is content")
    func firstContent() {
        var judge = StreamJudge(expectedWords: 3)
        let flags = (content + [finish, usage, "[DONE]"]).map { judge.take(ServerSentEvent(name: nil, data: $0)) }
        #expect(flags == [false, true, true, true, false, false, false])
    }
}
