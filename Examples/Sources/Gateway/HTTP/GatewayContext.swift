import Hummingbird
import NIOCore

/// A request's context: what the framework needs, and the connection it came in on.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    private let channel: any Channel

    /// The context of a request on `source.channel`.
    init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The watch over this connection; throws when the connection is closed.
    var client: ClientWatch {
        get async throws {
            try await channel.pipeline.handler(type: ClientWatch.self).get()
        }
    }
}
