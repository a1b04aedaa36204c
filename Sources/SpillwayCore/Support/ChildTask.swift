/// A task of its own for a piece of work, so that it can be cancelled by itself.
///
/// Made of an unstructured task that is awaited and cancelled with its caller: that costs less than a task group. It starts
/// on the caller's thread and, where the system can do that, runs there as far as its first suspension.
@usableFromInline
package enum ChildTask {
    /// Runs `body` in a child task, and waits for its end.
    ///
    /// It has the caller's task-local values, priority and task executor, and is cancelled with the caller.
    ///
    /// - Parameters:
    ///   - context: What the child is told of the calls around it; nil: what the caller was told.
    ///   - isOver: Whether the work has been done, so that there is nothing left to cancel: asked once, when the child has
    ///     come to its first suspension or its end.
    @inlinable
    package static func run<Value: Sendable>(
        telling context: CallContext? = nil, isOver: @Sendable () -> Bool = { false },
        _ body: @concurrent @Sendable () async -> Value
    ) async -> Value {
        await withoutActuallyEscaping(body) { body in
            let task = start(telling: context, body)
            // To stand by for a cancellation costs half as much as the task.
            if isOver() { return await task.value }
            return await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    /// Starts a child task, which the caller is to wait for, and to cancel when it is itself cancelled.
    ///
    /// It has the caller's task-local values, priority and task executor, and is cancelled if the caller has been.
    @inlinable
    package static func start<Value: Sendable>(
        telling context: CallContext?, _ body: @escaping @concurrent @Sendable () async -> Value
    ) -> Task<Value, Never> {
        let executor = TaskExecutorPreference.current, isCancelled = Task.isCancelled
        // Here and not in the child, where to bind a value would be three more steps between executors.
        return told(context) {
            if !isCancelled { return start(on: executor, body) }
            return start(on: executor) {
                withUnsafeCurrentTask { $0?.cancel() }
                return await body()
            }
        }
    }

    @inlinable
    static func told<Value>(_ context: CallContext?, _ start: () -> Value) -> Value {
        guard let context else { return start() }
        return CallContext.$current.withValue(context, operation: start)
    }

    /// Starts a task that nobody need wait for.
    ///
    /// Nothing is said of the executor when there is none: to say that would cost as much again.
    @inlinable
    package static func start<Value: Sendable>(
        on executor: (any TaskExecutor)?, _ body: sending @escaping @isolated(any) () async -> Value
    ) -> Task<Value, Never> {
        if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
            if let executor {
                Task.immediate(executorPreference: executor, operation: body)
            } else {
                Task.immediate(operation: body)
            }
        } else {
            Task(executorPreference: executor, operation: body)
        }
    }
}
