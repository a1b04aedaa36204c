import AsyncAlgorithms
import NIOCore
import SpillwayHTTPClient
import Synchronization

/// The way to the client of one stream, for all attempts of its call.
final class Outlet: Sendable {
    /// What reaches the client.
    enum Piece: Sendable {
        /// The commit point has been reached.
        case opened(Origin)
        case bytes(ByteBuffer)
        case failed(APIError)
    }

    /// What is read at the client's end.
    let pieces = AsyncChannel<Piece>()
    private let wantsUsage: Bool
    private let isOpen = Atomic(false)

    /// A way to a client who wants to be told what the stream took, or not.
    init(wantsUsage: Bool) {
        self.wantsUsage = wantsUsage
    }

    /// Passes pieces on, and returns when the client has taken them.
    ///
    /// - Throws: `CancellationError` when nobody takes them any more.
    func send(_ news: [ChatPiece], from origin: Origin) async throws {
        if !isOpen.exchange(true, ordering: .relaxed) { await pieces.send(.opened(origin)) }
        var bytes = ByteBuffer()
        for piece in news where piece.kind != .usage || wantsUsage { bytes.writeString(piece.event.text) }
        if bytes.readableBytes > 0 { await pieces.send(.bytes(bytes)) }
        try Task.checkCancellation()
    }

    /// Says how the call failed; nothing follows.
    func fail(_ error: APIError) async {
        await pieces.send(.failed(error))
    }

    /// Nothing follows.
    func finish() {
        pieces.finish()
    }
}
