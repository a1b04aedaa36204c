import NIOCore
import Synchronization

/// Tells the request in progress on a connection when its client goes away.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private struct State {
        var isGone = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Calls `action` once when the client goes, at once if it has; forgets any earlier action.
    func watch(_ action: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            state.action = state.isGone ? nil : action
            return state.isGone
        }
        if isGone { action() }
    }

    /// Forgets the action: the request is over.
    func unwatch() {
        state.withLock { $0.action = nil }
    }

    /// Closes the connection when the client closes its side: nobody who does that waits for an answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }

    /// The connection has closed.
    func channelInactive(context: ChannelHandlerContext) {
        let action = state.withLock { state in
            state.isGone = true
            defer { state.action = nil }
            return state.action
        }
        action?()
        context.fireChannelInactive()
    }
}
