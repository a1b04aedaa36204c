import FleetFaults
import Hummingbird
import NIOCore
import SpillwayTesting

/// A call that the engine has taken in, with the fault that strikes its answer, if any.
struct Generation: Sendable {
    /// The call's number within its replica's engine.
    let id: Int
    /// How many tokens it will bring.
    let tokens: Int
    let chunks: AsyncStream<EngineModel.Progress>
    let fault: FaultKind?
    /// The content chunk, from 1, at which a fault in the middle of the answer strikes.
    let faultChunk: Int
    /// Simulated time between two tokens of a dribble.
    let interval: Duration
    let call: Ledger.Call
    let ledger: Ledger
    let client: ClientWatch
    let clock: SimulatedClock

    /// Waits for the last token and returns the text of them all, throwing ``ClientGone`` when there is no one to wait.
    func collect(_ source: TokenSource) async throws -> String {
        var source = source
        var text = ""
        var hasBegun = false
        var isComplete = false
        for await chunk in chunks {
            // An embedding has no token.
            if !hasBegun, chunk.tokens > 0 {
                ledger.began(call)
                hasBegun = true
            }
            text += source.next(chunk.tokens)
            ledger.generated(chunk.tokens, by: call)
            isComplete = chunk.isLast
        }
        guard isComplete else { throw ClientGone() }
        client.unwatch()
        return text
    }

    /// A whole answer, cut or corrupted as the fault says.
    func response(_ json: JSONValue) -> Response {
        let text = json.text
        let bytes = ByteBuffer(string: fault == .malformedChunk ? Self.half(text) : text)
        let body = ResponseBody(contentLength: bytes.readableBytes) { writer in
            if fault == .cutStream {
                try await writer.write(ByteBuffer(string: Self.half(text)))
                throw Severed()
            }
            try await writer.write(bytes)
            try await writer.finish(nil)
            complete()
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// The answer as a stream of events, cut, silenced or corrupted as the fault says.
    func stream(_ answer: ChatAnswer, _ source: TokenSource, includesUsage: Bool) -> Response {
        let body = ResponseBody { writer in
            if fault != .errorEvent { try await write(answer, source, to: &writer) }
            try await writer.write(ByteBuffer(string: ending(answer, includesUsage: includesUsage)))
            if fault == .openEnd { try await keepAlive(&writer) }
            try await writer.finish(nil)
            complete()
            client.unwatch()
        }
        let headers: HTTPFields = [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"]
        return Response(status: .ok, headers: headers, body: body)
    }

    /// What comes after the content.
    private func ending(_ answer: ChatAnswer, includesUsage: Bool) -> String {
        if fault == .errorEvent || fault == .lateErrorEvent { return ChatAnswer.failure }
        var ending = ChatAnswer.event(answer.closing)
        if includesUsage { ending += ChatAnswer.event(answer.usageChunk) }
        if fault != .noDone, fault != .openEnd { ending += ChatAnswer.done }
        return ending
    }

    /// Writes the content as it is generated; returns only once all of it is out.
    private func write(
        _ answer: ChatAnswer,
        _ source: TokenSource,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var source = source
        var sent = 0
        var isComplete = false
        for await chunk in chunks {
            if sent == 0, chunk.tokens > 0 { ledger.began(call) }
            if fault == .dribble, sent >= faultChunk {
                for _ in 0..<chunk.tokens {
                    try await keepAlive(&writer, for: interval)
                    try await writer.write(ByteBuffer(string: ChatAnswer.event(answer.content(source.next(1)))))
                }
                ledger.generated(chunk.tokens, by: call)
                isComplete = chunk.isLast
                continue
            }
            var event = ChatAnswer.event(answer.content(source.next(chunk.tokens)))
            let opening = sent == 0 ? ChatAnswer.event(answer.opening) : ""
            sent += 1
            if fault == .malformedChunk, sent == faultChunk {
                event = Self.half(event) + "\n\n"
            }
            try await writer.write(ByteBuffer(string: opening + event))
            ledger.generated(chunk.tokens, by: call)
            isComplete = chunk.isLast
            if fault == .cutStream, sent == faultChunk {
                throw Severed()
            }
            if fault == .stall, sent == faultChunk {
                try await keepAlive(&writer)
            }
        }
        guard isComplete else { throw ClientGone() }
    }

    /// Writes a comment every simulated second until `time` has passed; by default until writing fails: the client has
    /// gone.
    private func keepAlive(_ writer: inout any ResponseBodyWriter, for time: Duration? = nil) async throws {
        let start = clock.now, end = time.map { start.advanced(by: $0) } ?? .distantFuture
        var next = start.advanced(by: .seconds(1))
        while next < end {
            try await clock.sleep(until: next)
            try await writer.write(ByteBuffer(string: ": keep-alive\n\n"))
            next = next.advanced(by: .seconds(1))
        }
        try await clock.sleep(until: end)
    }

    private func complete() {
        if fault?.leavesAnswerWhole ?? true {
            ledger.completed(call)
        }
    }

    private static func half(_ text: String) -> String {
        String(text.prefix(text.count / 2))
    }
}
