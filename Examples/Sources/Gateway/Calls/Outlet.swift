import AsyncAlgorithms
import CostLedger
import Foundation
import NIOCore
import Spillway
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
        /// The answer comes later.
        case deferred(Job, Origin)
    }

    private struct State {
        var isOpen = false
        /// Of the last chunk.
        var id = ""
        var model = ""
        /// Usage and end mark, which wait for ``conclude(_:)``.
        var tail: [ChatPiece] = []
    }

    /// What is read at the client's end.
    let pieces = AsyncChannel<Piece>()
    private let wantsUsage: Bool
    private let holdsEnd: Bool
    private let state = Mutex(State())

    /// A way to a client who wants to be told what the stream took, or not.
    ///
    /// - Parameter holdsEnd: Whether the end waits until what is to be known of the call is kept, such as its cost.
    init(wantsUsage: Bool, holdsEnd: Bool) {
        self.wantsUsage = wantsUsage
        self.holdsEnd = holdsEnd
    }

    /// Whether anything has been passed on.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Passes pieces on, and returns when the client has taken them.
    ///
    /// - Throws: `CancellationError` when nobody takes them any more.
    func send(_ news: [ChatPiece], from origin: () -> Origin) async throws {
        let (wasOpen, now) = state.withLock { state in
            defer { state.isOpen = true }
            var now: [ChatPiece] = []
            for piece in news {
                if let chunk = piece.chunk { (state.id, state.model) = (chunk.id, chunk.model) }
                if holdsEnd, piece.kind == .usage || piece.kind == .end {
                    state.tail.append(piece)
                } else {
                    now.append(piece)
                }
            }
            return (state.isOpen, now)
        }
        if !wasOpen { await pieces.send(.opened(origin())) }
        var bytes = ByteBuffer()
        for piece in now where piece.kind != .usage || wantsUsage { bytes.writeString(piece.event.text) }
        if bytes.readableBytes > 0 { await pieces.send(.bytes(bytes)) }
        try Task.checkCancellation()
    }

    /// Sends what has waited for the end of the call, and what that has cost; nil: nothing is priced.
    func conclude(_ cost: Money?) async {
        let tail = state.withLock { state in
            defer { state.tail = [] }
            return state.tail
        }
        guard !tail.isEmpty else { return }
        var bytes = ByteBuffer()
        for piece in tail {
            switch piece.kind {
            case .usage where wantsUsage:
                bytes.writeString(cost.map { Self.event(piece, costing: $0) } ?? piece.event.text)
            case .end: bytes.writeString((cost.map { Self.comment($0) } ?? "") + piece.event.text)
            default: break
            }
        }
        await pieces.send(.bytes(bytes))
    }

    /// Says how the call failed; nothing follows.
    ///
    /// - Parameters:
    ///   - isCut: Whether the answer was stopped at a limit on its length: to clients one of money is such a limit.
    ///   - cost: What the call has cost; nil: nothing is priced.
    func fail(_ error: APIError, isCut: Bool = false, cost: Money? = nil) async {
        let (isOpen, id, model) = state.withLock { ($0.isOpen, $0.id, $0.model) }
        if isOpen, let cost {
            let finish = isCut ? Self.finish(id, model) : ""
            await pieces.send(.bytes(ByteBuffer(string: finish + Self.comment(cost))))
        }
        await pieces.send(.failed(error))
    }

    /// Nothing follows.
    func finish() {
        pieces.finish()
    }

    /// What every client passes over, and one that looks for it reads.
    private static func comment(_ cost: Money) -> String { ": x-spillway-cost \(cost.digits)\n\n" }

    /// The event with what the call has cost among what it took.
    private static func event(_ piece: ChatPiece, costing cost: Money) -> String {
        guard var fields = try? JSONSerialization.jsonObject(with: Data(piece.data.utf8)) as? [String: Any],
            var usage = fields["usage"] as? [String: Any], usage["cost"] == nil
        else { return piece.event.text }
        // The digits take the place of a text that is in no answer, so that no `Double` comes near them.
        let mark = UUID().uuidString
        usage["cost"] = mark
        fields["usage"] = usage
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: fields, options: options) else {
            return piece.event.text
        }
        let text = String(decoding: data, as: UTF8.self).replacing("\"\(mark)\"", with: cost.digits)
        return "data: \(text)\n\n"
    }

    /// A chunk that says that the answer ends before it is whole.
    private static func finish(_ id: String, _ model: String) -> String {
        let choice: [String: Any] = ["index": 0, "delta": [String: String](), "finish_reason": "length"]
        let fields: [String: Any] = [
            "id": id, "object": "chat.completion.chunk", "created": Int(Date().timeIntervalSince1970), "model": model,
            "choices": [choice],
        ]
        // Texts and whole numbers are always valid.
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        let data = try! JSONSerialization.data(withJSONObject: fields, options: options)
        return "data: \(String(decoding: data, as: UTF8.self))\n\n"
    }
}
