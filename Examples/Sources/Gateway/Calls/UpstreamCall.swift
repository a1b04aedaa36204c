import AsyncAlgorithms
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Spillway
import SpillwayHTTPClient

/// Sends one request to whatever place an attempt has chosen.
struct UpstreamCall: Sendable {
    /// What reaches the client of a stream.
    enum Piece: Sendable {
        /// The first content has come: nothing is tried again from here on.
        case opened(upstream: String, attempt: Int)
        case bytes(ByteBuffer)
        case failed(APIError)
    }

    /// A whole answer.
    struct Answer: Sendable {
        let body: ByteBuffer
        let contentType: String
        let upstream: String
    }

    /// The most bytes of a whole answer.
    static let answerLimit = 16 << 20

    let http: HTTPClient
    let request: ModelRequest
    let route: Route
    let limits: AttemptLimits

    /// Asks for a whole answer.
    func whole(_ attempt: Attempt) async throws(UpstreamError) -> Answer {
        let watch = AttemptWatch(attempt, limits, streamed: false)
        let place = route.places[attempt.target!]!
        do {
            return try await watch.run {
                let response = try await send(to: place)
                let body = try await response.body.collect(upTo: Self.answerLimit)
                guard ModelRequest.isObject(body) else { throw UpstreamError.malformed("an answer that is not JSON") }
                let type = response.headers.first(name: "content-type") ?? "application/json"
                return Answer(body: body, contentType: type, upstream: place.upstream.name)
            }
        } catch is NIOTooManyBytesError {
            // It would be as large again, and it cost as much as a good one.
            throw UpstreamError("an answer of more than \(Self.answerLimit) bytes", .neutral(.unacceptable))
        } catch {
            throw .from(transport: error)
        }
    }

    /// Asks for a stream and passes it on to `client` from the first content on, until the answer is complete.
    func stream(_ attempt: Attempt, to client: AsyncChannel<Piece>) async throws(UpstreamError) {
        let watch = AttemptWatch(attempt, limits, streamed: true)
        let place = route.places[attempt.target!]!
        let opening = Piece.opened(upstream: place.upstream.name, attempt: attempt.number)
        do {
            try await watch.run {
                let response = try await send(to: place)
                let type = response.headers.first(name: "content-type") ?? ""
                guard type.hasPrefix("text/event-stream") else {
                    throw UpstreamError.malformed("an answer of type '\(type)' instead of a stream")
                }
                try await pass(response, on: client, opening, watch)
            }
        } catch {
            // The answer was whole: what became of the connection after it does not matter.
            if watch.stage < .finished || Task.isCancelled {
                let failure = UpstreamError.from(transport: error)
                throw watch.isCommitted ? failure.afterCommit : failure
            }
        }
        if watch.stage < .done { await client.send(.bytes(ByteBuffer(string: "data: [DONE]\n\n"))) }
    }

    /// Passes events on as they come; what was read before the first content goes with it.
    private func pass(
        _ response: HTTPClientResponse, on client: AsyncChannel<Piece>, _ opening: Piece, _ watch: AttemptWatch
    ) async throws {
        var parser = ServerSentEventParser()
        var held = ByteBuffer()
        for try await bytes in response.body {
            for event in try parser.feed(bytes.readableBytesView) where watch.stage < .done {
                watch.reached(try ChunkReader.stage(of: event))
                held.write(event)
            }
            guard watch.stage > .waiting, held.readableBytes > 0 else { continue }
            let ready = held
            held = ByteBuffer()
            let isFirst = !watch.isCommitted
            await watch.passing {
                if isFirst { await client.send(opening) }
                await client.send(.bytes(ready))
            }
        }
        guard watch.stage >= .finished else {
            let message = "the stream ended without a finish reason and without [DONE]"
            // Before anything was passed on it is an answer like any other that makes no sense, and may be tried again.
            throw watch.isCommitted ? UpstreamError.truncated(message) : .malformed(message)
        }
    }

    /// The answer's head.
    ///
    /// - Throws: ``UpstreamError`` for any status but success, and the client's own errors.
    private func send(to place: Route.Place) async throws -> HTTPClientResponse {
        var outgoing = HTTPClientRequest(url: place.upstream.url + request.kind.path)
        outgoing.method = .POST
        outgoing.headers = ["content-type": "application/json"]
        outgoing.headers.add(name: "accept", value: request.isStreamed ? "text/event-stream" : "application/json")
        if let key = place.upstream.key { outgoing.headers.add(name: "authorization", value: "Bearer \(key)") }
        outgoing.body = .bytes(try request.body(asking: place.model))
        // The watch bounds the time, and cancels.
        let response = try await http.execute(outgoing, deadline: .distantFuture)
        switch response.status.code {
        case 200..<300: return response
        case 400...: throw await UpstreamError.from(response)
        default: throw UpstreamError.malformed("an answer with status \(response.status.code)")
        }
    }
}

extension ByteBuffer {
    /// Writes an event in the form in which it came, without comments and ids.
    fileprivate mutating func write(_ event: ServerSentEvent) {
        if event.event != "message" { writeString("event: \(event.event)\n") }
        for line in event.data.split(separator: "\n", omittingEmptySubsequences: false) {
            writeString("data: \(line)\n")
        }
        writeString("\n")
    }
}
