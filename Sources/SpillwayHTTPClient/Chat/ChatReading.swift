#if HTTPClientSupport
internal import Spillway

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
