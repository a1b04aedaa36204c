/// Lets one task wait until it is wanted.
package final class Doorbell: Sendable {
    private enum State {
        case silent
        case rung
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Locked(State.silent)

    package init() {}

    /// Wakes who waits, or who comes to wait next.
    package func ring() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if case .waiting(let continuation) = state {
                state = .silent
                return continuation
            }
            state = .rung
            return nil
        }
        waiter?.resume()
    }

    /// Returns when it rings, at `instant`, or when the task is cancelled.
    package func wait(until instant: Instant?, _ time: any TimeSource) async {
        guard let instant else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await time.sleep(until: instant) }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = state.withLock { state in
                    if case .silent = state, !Task.isCancelled {
                        state = .waiting(continuation)
                        return false
                    }
                    state = .silent
                    return true
                }
                if isRung { continuation.resume() }
            }
        } onCancel: {
            // As if it had rung; a ring that nobody waits for costs one look for nothing.
            ring()
        }
    }
}
