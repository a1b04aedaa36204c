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

/// The reader's end of a call that goes on as long as its stream; letting go of it cancels the call.
final class ChatReading: Sendable {
    typealias Pieces = Handoff<[ChatPiece], PolicyError<UpstreamError>>

    private struct State {
        var isBusy = false
        var hasEnded = false
        var chunks: ArraySlice<ChatChunk> = []
    }

    let journal: StreamJournal
    let task: Task<CallReport, Never>
    private let pieces: Pieces
    private let state = Locked(State())

    init(_ pieces: Pieces, _ journal: StreamJournal, _ task: Task<CallReport, Never>) {
        self.pieces = pieces
        self.journal = journal
        self.task = task
    }

    deinit { task.cancel() }

    func next() async throws(UpstreamError) -> ChatChunk? {
        let isFree = state.withLock { state in
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard isFree else {
            throw UpstreamError("the stream is being read by another task", .neutral(.invalidRequest))
        }
        defer { state.withLock { $0.isBusy = false } }
        while true {
            let (chunk, hasEnded) = state.withLock { ($0.chunks.popFirst(), $0.hasEnded) }
            if chunk != nil || hasEnded { return chunk }
            let step = await withTaskCancellationHandler {
                await pieces.next()
            } onCancel: {
                task.cancel()
            }
            switch step {
            case .value(let pieces): state.withLock { $0.chunks = pieces.compactMap(\.chunk)[...] }
            case .ended(let result):
                state.withLock { $0.hasEnded = true }
                try check(result)
            }
        }
    }

    private func check(_ result: Result<Void, PolicyError<UpstreamError>>) throws(UpstreamError) {
        guard case .failure(let error) = result, !journal.isWhole else { return }
        throw journal.failure(of: error) ?? UpstreamError("\(error)", error.outcome)
    }
}
#endif
