import Hummingbird
import NIOCore

/// A request's context: what the framework needs, and the connection it came in on.
struct FleetContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    /// The context of a request on `source.channel`.
    init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The watch over this connection, throwing when the connection has already closed.
    var client: ClientWatch {
        get async throws {
            try await channel.pipeline.handler(type: ClientWatch.self).get()
        }
    }
}
