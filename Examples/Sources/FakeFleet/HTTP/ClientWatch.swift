import NIOCore
import Synchronization

/// Tells the request in progress on a connection when its client goes away.
///
/// A client that closes its sending side counts as gone: no HTTP client worth serving does that and still reads.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    private struct State {
        var gone = false
        var onGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Calls `action` once when the client goes, at once if it already has; replaces any earlier action.
    func watch(_ action: @escaping @Sendable () -> Void) {
        let gone = state.withLock { state in
            state.onGone = state.gone ? nil : action
            return state.gone
        }
        if gone {
            action()
        }
    }

    /// Forgets the action: the request is over.
    func unwatch() {
        state.withLock { $0.onGone = nil }
    }

    /// Waits for the client to go.
    func untilGone() async {
        await withCheckedContinuation { continuation in
            watch { continuation.resume() }
        }
    }

    /// Closes the connection fully once the client closes its side.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if case ChannelEvent.inputClosed = event {
            context.close(promise: nil)
        }
    }

    /// Runs the action: the connection has closed.
    func channelInactive(context: ChannelHandlerContext) {
        let action = state.withLock { state in
            state.gone = true
            defer { state.onGone = nil }
            return state.onGone
        }
        action?()
        context.fireChannelInactive()
    }
}
