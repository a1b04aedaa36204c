#if HTTPClientSupport
public import Spillway

/// The chunks of an answer that streams, of which the first has come.
///
/// It ends only when the answer is whole: after a finish reason or `[DONE]`. Otherwise it throws, with the cause
/// `truncated`, or `cancelled` when the reading task was. The model is heard no faster than the chunks are read. Read it
/// once, by one task at a time; drop it to make the model stop.
public struct ChatStream: AsyncSequence, Sendable {
    /// A piece of the answer.
    public typealias Element = ChatChunk
    /// How the answer failed.
    public typealias Failure = UpstreamError

    private let reading: ChatReading

    init(_ reading: ChatReading) {
        self.reading = reading
    }

    /// Reads on from where the last iterator stopped.
    public func makeAsyncIterator() -> Iterator {
        Iterator(reading: reading)
    }

    /// What the call took so far, with all its attempts; after the end, what it took.
    ///
    /// Nil when there is nothing to count. Its `source` says where the figures come from.
    public var usage: Usage? { reading.journal.usage }

    /// The model that answers; empty where the provider does not say.
    public var model: String { reading.journal.model }

    /// What happened to the call; waits for its end, and so for the reader.
    public var report: CallReport {
        get async { await reading.task.value }
    }

    /// Reads the chunks.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let reading: ChatReading

        /// The next chunk; nil when the answer is whole.
        ///
        /// - Throws: `UpstreamError` when the answer was cut or makes no sense.
        public mutating func next() async throws(UpstreamError) -> ChatChunk? {
            try await reading.next()
        }
    }
}
#endif
