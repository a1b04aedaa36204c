#if HTTPClientSupport
internal import Spillway

/// Hands values from one task to another, which waits for them, and back the wish for more: the sender goes on when its
/// value has been taken.
final class Handoff<Value: Sendable, Failure: Error>: Sendable {
    /// What comes next.
    enum Step: Sendable {
        case value(Value)
        case ended(Result<Void, Failure>)
    }

    private struct State {
        var values: [Value] = []
        var end: Result<Void, Failure>?
        var receiver: CheckedContinuation<Void, Never>?
        var sender: (number: Int, continuation: CheckedContinuation<Bool, Never>)?
        var number = 0
        /// The last send that was cancelled.
        var cancelled = 0
    }

    private let state = Locked(State())

    /// Hands `value` over and returns when it was taken.
    ///
    /// For one task at a time.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; the value may be taken all the same.
    func send(_ value: Value) async throws(CancellationError) {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let isTaken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (receiver, isCancelled) = state.withLock { state in
                    state.values.append(value)
                    let isCancelled = state.cancelled == number
                    if !isCancelled { state.sender = (number, continuation) }
                    return (state.receiver.take(), isCancelled)
                }
                if isCancelled { continuation.resume(returning: false) }
                receiver?.resume()
            }
        } onCancel: {
            state.withLock { state in
                state.cancelled = number
                return state.sender?.number == number ? state.sender.take() : nil
            }?.continuation.resume(returning: false)
        }
        if !isTaken { throw CancellationError() }
    }

    /// Says that no more will come.
    func finish(_ result: Result<Void, Failure>) {
        state.withLock { state in
            if state.end == nil { state.end = result }
            return state.receiver.take()
        }?.resume()
    }

    /// Waits until there is a value, or there will be none; for one task at a time.
    func ready() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                let isReady = !state.values.isEmpty || state.end != nil
                if !isReady { state.receiver = continuation }
                return isReady
            }
            if isReady { continuation.resume() }
        }
    }

    /// The error with which it ended before any value; nil: there is one, or it ended well.
    func opened() async -> Failure? {
        await ready()
        return state.withLock { state in
            if state.values.isEmpty, case .failure(let error) = state.end { error } else { nil }
        }
    }

    /// The next value, or the end; for one task at a time.
    func next() async -> Step {
        await ready()
        let (step, sender) = state.withLock { state -> (Step, CheckedContinuation<Bool, Never>?) in
            guard !state.values.isEmpty else { return (.ended(state.end ?? .success(())), nil) }
            let value = state.values.removeFirst()
            return (.value(value), state.values.isEmpty ? state.sender.take()?.continuation : nil)
        }
        sender?.resume(returning: true)
        return step
    }
}
#endif
