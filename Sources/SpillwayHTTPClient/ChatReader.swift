#if HTTPClientSupport
internal import AsyncHTTPClient
#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import NIOCore
internal import Spillway

/// Reads chunks out of the body of a streamed answer and knows whether the answer is whole.
///
/// Unchecked, because the body's iterator moves between the tasks that wait with a timeout: one at a time, which
/// ``ChatStream`` sees to.
final class ChatReader: @unchecked Sendable {
    /// How far the answer has come.
    enum Phase {
        /// More must come.
        case open
        /// A finish reason has come: the answer is whole, though usage may follow.
        case finished
        /// `[DONE]` has come.
        case done
    }

    private(set) var phase = Phase.open
    private var bytes: HTTPClientResponse.Body.AsyncIterator?
    private var parser = ServerSentEventParser()
    private var ready: [ChatChunk] = []
    private var failure: UpstreamError?

    /// The most chunks without any text before the first that has some.
    private static let patience = 1_024

    init(_ body: HTTPClientResponse.Body) {
        bytes = body.makeAsyncIterator()
    }

    /// Whether the next ``read()`` has no need to wait.
    var isReady: Bool { !ready.isEmpty }

    /// The next chunk; nil when the answer is whole.
    ///
    /// - Throws: What went wrong, as if nothing had been passed on yet.
    @concurrent func read() async throws(UpstreamError) -> ChatChunk? {
        while ready.isEmpty {
            if let failure { throw failure }
            guard bytes != nil, phase != .done else { return nil }
            await fill()
        }
        return ready.removeFirst()
    }

    /// Reads until the first text has come, or the whole answer, and keeps what it read for ``read()``.
    @concurrent func readFirst() async throws(UpstreamError) {
        var held: [ChatChunk] = []
        while let chunk = try await read() {
            held.append(chunk)
            if chunk.carriesText || chunk.finishes { break }
            if held.count > Self.patience { throw .malformed("\(held.count) chunks came, and none had any text") }
        }
        ready.insert(contentsOf: held, at: 0)
    }

    /// Reads what comes after `[DONE]`, so that the connection can be used again.
    @concurrent func drain() async {
        while phase == .done, bytes != nil { await fill() }
    }

    /// Gives the connection up if the answer has not ended.
    func close() {
        bytes = nil
        ready = []
        failure = nil
    }

    private func fill() async {
        do {
            guard let buffer = try await bytes?.next() else { return end() }
            for event in try parser.feed(buffer.readableBytesView) where failure == nil { take(event) }
        } catch let error as ServerSentEventParser.TooLarge {
            failure = .malformed(error.description, underlying: error)
        } catch {
            if phase == .open { failure = .from(transport: error) } else { bytes = nil }
        }
    }

    private func end() {
        bytes = nil
        guard phase == .open else { return }
        failure = UpstreamError("the stream ended without a finish reason or [DONE]", .failure(.transport))
    }

    private func take(_ event: ServerSentEvent) {
        guard phase != .done else { return }
        if event.data == "[DONE]" {
            phase = .done
            return
        }
        let data = Array(event.data.utf8)
        do {
            switch try JSONDecoder().decode(ProviderAnswer<ChatChunk>.self, from: Data(data)) {
            case .body(let chunk):
                ready.append(chunk)
                if chunk.finishes { phase = .finished }
            case .error(let error): failure = .from(error, in: data)
            }
        } catch {
            failure = .malformed("a chunk of the stream is not what the protocol allows", underlying: error)
        }
    }
}
#endif
