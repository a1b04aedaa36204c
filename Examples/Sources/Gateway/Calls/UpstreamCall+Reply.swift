import NIOCore
import Spillway
import SpillwayHTTPClient

/// Tiers that ask no upstream.
extension UpstreamCall {
    /// What a tier has that asks no upstream.
    ///
    /// - Throws: ``UpstreamError/noAnswer`` when it has nothing.
    func reply(of attempt: Attempt) async throws(UpstreamError) -> Reply {
        switch attempt.mode?.kind {
        case .cache:
            guard let kept = route.ladder?.kept?.answer(attempt, to: self) else { throw .noAnswer }
            return .kept(kept)
        case .deferral:
            guard let later else { throw .noAnswer }
            do { return .ticket(try await later()) } catch { throw .noAnswer }
        default: throw .noAnswer
        }
    }

    /// Passes on a reply that is there already.
    func stream(
        _ reply: Reply, _ attempt: Attempt, _ relay: StreamRelay, to client: Outlet
    ) async throws(UpstreamError) {
        let origin = reply.origin(self, attempt.mode, attempt.steps)
        switch reply {
        case .kept(let kept):
            guard let events = try? kept.value.events() else { throw .noAnswer }
            try await relay.run(attempt) { _ in
                AsyncStream<ByteBuffer> { body in
                    body.yield(events)
                    body.finish()
                }
            } to: {
                try await client.send($0) { origin }
            }
        case .ticket(let job): await client.pieces.send(.deferred(job, origin))
        case .answer: throw .noAnswer
        }
    }
}
