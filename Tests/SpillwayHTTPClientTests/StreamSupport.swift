#if HTTPClientSupport
import NIOCore
import Spillway
import SpillwayHTTPClient
import SpillwayTesting

/// Events of a stream as they go over the wire.
enum Wire {
    static let role = event(#"{"id":"s","choices":[{"delta":{"role":"assistant","content":""}}]}"#)
    static let end = finish("stop")
    static let usage = event(#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#)
    static let done = event("[DONE]")
    static let broken = event(#"{"choices":[{"delta":{"cont"#)
    static let reported = event(#"{"error":{"message":"out of memory","code":500}}"#)
    static let alive = ": keep-alive\n\n"
    static let call = event(#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}"#)
    static let other = event(#"{"choices":[{"index":1,"delta":{"content":"x"}}]}"#)

    static func event(_ data: String) -> String { "data: \(data)\n\n" }
    static func text(_ text: String) -> String { event(#"{"choices":[{"delta":{"content":"\#(text)"}}]}"#) }
    static func thought(_ text: String) -> String {
        event(#"{"choices":[{"delta":{"reasoning_content":"\#(text)"}}]}"#)
    }
    static func finish(_ reason: String) -> String {
        event(#"{"choices":[{"delta":{},"finish_reason":"\#(reason)"}]}"#)
    }
}

/// The text of a stream, and the error that ended it.
func read(_ stream: ChatStream) async -> (text: String, error: UpstreamError?) {
    var text = ""
    do {
        for try await chunk in stream { text += chunk.content }
        return (text, nil)
    } catch {
        return (text, error)
    }
}

extension ManualTime {
    /// Returns when the first sleeper is to wake this long from now.
    func waitForWake(in duration: Duration) async {
        while nextWake != now.advanced(by: duration) { await Task.yield() }
    }
}

/// What a relay passes on, and the attempts that it makes of prepared bodies.
final class Relayed: Sendable {
    /// One attempt: what the target sends, and how that ends.
    enum Script: Sendable {
        case pieces([String])
        case cut([String])
        case refused(UpstreamError)
    }

    private let state = Locked<(pieces: [ChatPiece], prefills: [Prefill?])>(([], []))
    let relay: StreamRelay

    init(_ recovery: StreamRecovery = .fail, commit: CommitPoint = .firstToken) {
        relay = StreamRelay(StreamJournal(recovery, promptTokens: 10), commit: commit)
    }

    var journal: StreamJournal { relay.journal }
    var pieces: [ChatPiece] { state.withLock { $0.pieces } }
    var prefills: [Prefill?] { state.withLock { $0.prefills } }
    var text: String { pieces.map(\.text).joined() }

    /// Makes one attempt; the error with which it ended.
    func attempt(_ script: Script, target: String? = nil) async -> UpstreamError? {
        await self.attempt(
            script, Attempt(number: 1, call: Call(streams: true), started: SystemTime().now, target: target))
    }

    /// As ``attempt(_:target:)``, for an attempt of a policy.
    func attempt(_ script: Script, _ attempt: Attempt) async -> UpstreamError? {
        do throws(UpstreamError) {
            try await relay.run(attempt) { prefill in
                self.state.withLock { $0.prefills.append(prefill) }
                return try Self.body(script)
            } to: { pieces in
                self.state.withLock { $0.pieces += pieces }
            }
            return nil
        } catch {
            return error
        }
    }

    private static func body(_ script: Script) throws -> AsyncThrowingStream<ByteBuffer, any Error> {
        let (texts, error): ([String], (any Error)?) =
            switch script {
            case .pieces(let texts): (texts, nil)
            case .cut(let texts): (texts, UpstreamError("cut", .failure(.transport)))
            case .refused(let error): throw error
            }
        return AsyncThrowingStream { stream in
            for text in texts { stream.yield(ByteBuffer(string: text)) }
            stream.finish(throwing: error)
        }
    }
}
#endif
