internal import SpillwayCore

/// Work, or the end of the time for it, whichever comes first.
///
/// Work that goes on after its time is cancelled and not waited for, because it may never end.
final class OneOfTwo<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value?, Never>?
        var tasks: [Task<Void, Never>] = []
        var isOver = false
    }

    private let state = Locked(State())

    private init() {}

    /// What `body` gives; nil when it is too late, or the caller is cancelled.
    static func run(
        within timeout: Duration, _ time: any TimeSource, _ body: @escaping @Sendable () async -> Value?
    ) async -> Value? {
        let race = OneOfTwo()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !race.begin(continuation) { return }
                let executor = TaskExecutorPreference.current
                race.hold(
                    Task(executorPreference: executor) {
                        try? await time.sleep(for: timeout)
                        race.end(nil)
                    })
                race.hold(Task(executorPreference: executor) { race.end(await body()) })
            }
        } onCancel: {
            race.end(nil)
        }
    }

    /// False when the caller has been cancelled already.
    private func begin(_ continuation: CheckedContinuation<Value?, Never>) -> Bool {
        let isOver = state.withLock { state in
            if !state.isOver { state.continuation = continuation }
            return state.isOver
        }
        if isOver { continuation.resume(returning: nil) }
        return !isOver
    }

    private func hold(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.tasks.append(task) }
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    private func end(_ value: Value?) {
        let (continuation, tasks) = state.withLock { state in
            defer { (state.continuation, state.tasks, state.isOver) = (nil, [], true) }
            return (state.continuation, state.tasks)
        }
        for task in tasks { task.cancel() }
        continuation?.resume(returning: value)
    }
}
