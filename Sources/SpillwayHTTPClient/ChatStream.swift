#if HTTPClientSupport
internal import Spillway

/// The chunks of an answer that streams, of which the first text has come.
///
/// It ends only when the answer is whole: after a finish reason or `[DONE]`. Otherwise it throws, with the cause
/// `truncated` or `malformed`, or `cancelled` when the reading task was. Read it once, by one task at a time; drop it to
/// make the model stop.
public struct ChatStream: AsyncSequence, Sendable {
    /// A piece of the answer.
    public typealias Element = ChatChunk
    /// How the answer failed.
    public typealias Failure = UpstreamError

    private let reading: Reading

    init(_ reader: ChatReader, stall: Duration, time: any TimeSource) {
        reading = Reading(reader, stall, time)
    }

    /// Reads on from where the last iterator stopped.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reading: reading)
    }

    /// Reads the chunks.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reading: Reading

        /// The next chunk; nil when the answer is whole.
        ///
        /// - Throws: `UpstreamError` when the answer was cut or makes no sense.
        public mutating func next() async throws(UpstreamError) -> ChatChunk? {
            try await reading.next()
        }
    }
}

/// Reads with patience: as long as the stall time without any text, and a moment for what may follow a whole answer.
private final class Reading: @unchecked Sendable {
    private let reader: ChatReader
    private let stall: Duration
    private let time: any TimeSource
    private let busy = Locked(false)
    // Touched by the task that holds `busy`. Counts only time spent here, so that a slow reader is no stall.
    private var silence = Duration.zero

    /// How long usage may take to follow the finish reason, and the end of the body to follow `[DONE]`.
    private static let afterFinish = Duration.seconds(1)
    private static let afterDone = Duration.milliseconds(100)

    init(_ reader: ChatReader, _ stall: Duration, _ time: any TimeSource) {
        self.reader = reader
        self.stall = stall
        self.time = time
    }

    func next() async throws(UpstreamError) -> ChatChunk? {
        let free = busy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard free else {
            throw UpstreamError("the stream is being read by another task", .neutral(.invalidRequest))
        }
        defer { busy.withLock { $0 = false } }
        do throws(UpstreamError) {
            if let chunk = try await chunk() { return chunk }
            if reader.phase == .done {
                _ = await cutoff(Self.afterDone).cancelling { [reader] in await reader.drain() }
            }
            reader.close()
            return nil
        } catch {
            let whole = reader.phase != .open
            reader.close()
            if whole, error.outcome.cause == .timeout { return nil }
            throw error.afterCommit
        }
    }

    private func chunk() async throws(UpstreamError) -> ChatChunk? {
        if reader.isReady || reader.phase == .done { return try await reader.read() }
        let began = time.now
        let patience = reader.phase == .open ? max(stall - silence, .zero) : min(stall, Self.afterFinish)
        let chunk = try await cutoff(patience).run(or: "no text came for \(stall)") {
            [reader] () async throws(UpstreamError) -> ChatChunk? in try await reader.read()
        }
        silence = chunk?.carriesText == true ? .zero : silence + began.duration(to: time.now)
        return chunk
    }

    private func cutoff(_ patience: Duration) -> Cutoff {
        Cutoff(deadline: time.now.advanced(by: patience), time: time)
    }
}
#endif
