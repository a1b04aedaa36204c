#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Spillway

/// Sends what a watch asks, each with limits on its time and its answer.
struct WatchRequests: Sendable {
    let client: HTTPClient
    /// Whether others may use it too.
    let isShared: Bool
    let time: any TimeSource
    let apiKey: String?

    /// The body at `url`, of at most `limit` bytes.
    ///
    /// - Parameters:
    ///   - head: How long the client may take to the head of the answer.
    ///   - whole: How long all may take, by the time of the watch; then it is cancelled.
    func get(
        _ url: String, head: Duration, whole: Duration, upTo limit: Int
    ) async throws(UpstreamError) -> [UInt8] {
        try await send(HTTPClientRequest(url: url), head, whole, limit)
    }

    /// As ``get(_:head:whole:upTo:)``, for what answers to a body of JSON.
    func post(
        _ body: [UInt8], _ url: String, head: Duration, whole: Duration, upTo limit: Int
    ) async throws(UpstreamError) -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await send(request, head, whole, limit)
    }

    /// Whether it is this process that could not ask, and the replica cannot help it.
    func isOwn(_ error: UpstreamError) -> Bool {
        // Whoever has a client to itself never waits for a connection that others have: then the replica let nobody connect.
        error.isOwn || isShared && error.isPoolTimeout
    }

    private func send(
        _ request: HTTPClientRequest, _ head: Duration, _ whole: Duration, _ limit: Int
    ) async throws(UpstreamError) -> [UInt8] {
        var request = request
        if let apiKey { request.headers.add(name: "authorization", value: "Bearer \(apiKey)") }
        let sent = request, cutoff = Cutoff(deadline: time.now.advanced(by: whole), time: time)
        return try await cutoff.run(or: "no answer in time") { () async throws(UpstreamError) -> [UInt8] in
            let response: HTTPClientResponse
            do {
                response = try await client.execute(sent, deadline: .now() + .nanoseconds(head.clampedNanoseconds))
            } catch {
                throw .from(transport: error)
            }
            guard response.status.code < 400 else { throw await .from(response, within: cutoff) }
            return try await response.whole(upTo: limit)
        }
    }
}
#endif
