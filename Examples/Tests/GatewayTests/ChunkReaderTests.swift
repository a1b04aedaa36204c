import Spillway
import SpillwayHTTPClient
import Testing

@testable import Gateway

struct ChunkReaderTests {
    @Test(arguments: [
        (#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, AttemptWatch.Stage.waiting),
        (#"{"choices":[{"delta":{"content":"a"}}]}"#, .content),
        (#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#, .content),
        (#"{"choices":[{"delta":{"tool_calls":[]}}]}"#, .waiting),
        (#"{"choices":[{"delta":{},"finish_reason":null}]}"#, .waiting),
        (#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, .finished),
        (#"{"choices":[],"usage":{"total_tokens":3},"error":null}"#, .waiting),
        ("[DONE]", .done),
    ])
    func `a chunk shows how far the answer is`(data: String, stage: AttemptWatch.Stage) throws {
        #expect(try ChunkReader.stage(of: ServerSentEvent(data: data)) == stage)
    }

    @Test(arguments: [
        (#"{"choices":[{"#, Outcome.failure(.malformed)),
        ("5", .failure(.malformed)),
        (#"{"error":{"message":"m","code":429}}"#, .neutral(.rateLimited)),
        (#"{"error":{"message":"m","type":"rate_limit_error"}}"#, .neutral(.rateLimited)),
        (#"{"error":{"message":"m"}}"#, .failure(.serverError)),
        (#"{"error":"text"}"#, .failure(.serverError)),
    ])
    func `errors in a stream are failures`(data: String, outcome: Outcome) {
        let error = #expect(throws: UpstreamError.self) { try ChunkReader.stage(of: ServerSentEvent(data: data)) }
        #expect(error?.outcome == outcome)
        #expect(error?.afterCommit.outcome.cause == .truncated)
        #expect(error?.afterCommit.outcome.verdict == outcome.verdict)
    }
}
