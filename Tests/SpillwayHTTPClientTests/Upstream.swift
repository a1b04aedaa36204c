#if HTTPClientSupport
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Spillway
import SpillwayHTTPClient

/// An HTTP server on a port of its own that gives prepared answers, one for each request, and keeps the requests.
final class Upstream: Sendable {
    /// What came.
    struct Request: Sendable {
        let head: HTTPRequestHead
        let body: String
    }

    /// What to do with a request.
    enum Answer: Sendable {
        /// A whole answer.
        case plain(Int, [String: String] = [:], String = "")
        /// The pieces of a body of unknown length, and how it ends.
        case stream([String], End = .whole)
        /// Breaks the connection off without a word.
        case reset
        /// Says nothing.
        case silence
    }

    /// How a streamed body ends.
    ///
    /// What was sent just before `cut` may be lost on the way; `never` lasts until ``cut()`` or ``finish(_:)``.
    enum End: Sendable {
        case whole, cut, never
    }

    private struct Contents {
        var answers: [Answer]
        var requests: [Request] = []
        var connections: [any Channel] = []
    }

    let port: Int
    /// Every request, as it comes.
    let arrivals: AsyncStream<Request>
    private let contents: Locked<Contents>
    private let arrived: AsyncStream<Request>.Continuation
    private let listener: any Channel
    private let others: @Sendable (Request) -> Answer

    /// Listens, and gives `answers` in turn; afterwards what `others` says, by default status 599.
    ///
    /// On a free port unless one is given.
    static func start(
        _ answers: [Answer] = [], port: Int = 0, others: @escaping @Sendable (Request) -> Answer = { _ in .plain(599) }
    ) async throws -> Upstream {
        let box = Box()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    box.upstream.withLock { $0?.contents.withLock { $0.connections.append(channel) } }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Connection(box))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        let upstream = Upstream(answers, listener, others)
        box.upstream.withLock { $0 = upstream }
        return upstream
    }

    /// Carries the upstream into the handlers, which are made after it.
    fileprivate final class Box: Sendable {
        let upstream = Locked<Upstream?>(nil)
    }

    private init(
        _ answers: [Answer], _ listener: any Channel, _ others: @escaping @Sendable (Request) -> Answer
    ) {
        self.others = others
        contents = Locked(Contents(answers: answers))
        self.listener = listener
        port = listener.localAddress?.port ?? 0
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    /// The requests so far.
    var requests: [Request] { contents.withLock { $0.requests } }

    /// The connections so far.
    var connections: Int { contents.withLock { $0.connections.count } }

    /// The connections that are open.
    var open: Int { contents.withLock { $0.connections.count { $0.isActive } } }

    /// The address of `path`.
    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Stops listening; also more than once.
    func stop() async throws {
        if listener.isActive { try await listener.close() }
    }

    /// Breaks every connection off.
    func cut() async {
        for channel in contents.withLock({ $0.connections }) { try? await channel.close() }
    }

    /// Ends the bodies that are open, after some more pieces.
    func finish(_ pieces: [String]) async throws {
        for channel in contents.withLock({ $0.connections }) where channel.isActive {
            for piece in pieces {
                try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: piece))))
            }
            try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        }
    }

    fileprivate func answer(_ request: Request) -> Answer {
        let answer = contents.withLock { contents -> Answer? in
            contents.requests.append(request)
            return contents.answers.isEmpty ? nil : contents.answers.removeFirst()
        }
        arrived.yield(request)
        return answer ?? others(request)
    }
}

/// One connection of an upstream.
private final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let box: Upstream.Box
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ box: Upstream.Box) { self.box = box }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ""
        case .body(let buffer): body += String(buffer: buffer)
        case .end:
            guard let head, let upstream = box.upstream.withLock({ $0 }) else { return }
            perform(upstream.answer(Upstream.Request(head: head, body: body)), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func perform(_ answer: Upstream.Answer, _ context: ChannelHandlerContext) {
        switch answer {
        case .plain(let status, let fields, let text):
            var headers = HTTPHeaders(fields.map { ($0.key, $0.value) })
            headers.add(name: "content-length", value: "\(text.utf8.count)")
            write(status, headers, [text], context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .stream(let pieces, let end):
            write(200, ["content-type": "text/event-stream"], pieces, context)
            switch end {
            case .whole: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .cut: context.close(promise: nil)
            case .never: break
            }
        case .reset:
            // No lingering: closing then sends a reset.
            (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenComplete { [channel = context.channel] _ in channel.close(promise: nil) }
        case .silence: break
        }
    }

    private func write(_ status: Int, _ headers: HTTPHeaders, _ pieces: [String], _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        for piece in pieces {
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: piece)))), promise: nil)
        }
        context.flush()
    }
}
#endif
