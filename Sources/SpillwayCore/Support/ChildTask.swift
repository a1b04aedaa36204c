/// A task of its own for a piece of work, so that it can be cancelled by itself.
@usableFromInline
package enum ChildTask {
    /// Runs `body` in a child task, and waits for its end.
    ///
    /// It has the caller's task-local values, priority and task executor, and is cancelled with the caller. It starts on the
    /// caller's thread and, where the system can do that, runs there as far as its first suspension.
    ///
    /// - Parameter context: What the child is told of the calls around it; nil: what the caller was told.
    @inlinable
    package static func run<Value: Sendable>(
        telling context: CallContext? = nil, _ body: @concurrent @Sendable () async -> Value
    ) async -> Value {
        await withoutActuallyEscaping(body) { body in
            await withTaskGroup(of: Value.self) { group in
                let told: @concurrent @Sendable () async -> Value = {
                    guard let context else { return await body() }
                    return await CallContext.$current.withValue(context) { await body() }
                }
                if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
                    group.addImmediateTask(operation: told)
                } else {
                    group.addTask(operation: told)
                }
                return await group.next()!
            }
        }
    }

    /// As ``run(telling:_:)`` for work that runs under a watch, at less cost: without a group.
    ///
    /// - Parameters:
    ///   - context: What the child is told of the calls around it; nil: what the caller was told.
    ///   - watch: Watches over `body`, and is new. A cancellation of the caller goes through it, because the child may be under
    ///     way before the caller has it in hand.
    @inlinable
    package static func run<Value: Sendable>(
        telling context: CallContext? = nil, under watch: AttemptWatch,
        _ body: @concurrent @Sendable () async -> Value
    ) async -> Value {
        #if compiler(>=6.3)
        // Before that the system does not tell the executor, which a group would know.
        if #available(macOS 26.4, iOS 26.4, tvOS 26.4, watchOS 26.4, visionOS 26.4, *) {
            return await withoutActuallyEscaping(body) { body in
                await withTaskCancellationHandler {
                    await start(telling: context, body).value
                } onCancel: {
                    watch.cancel()
                }
            }
        }
        #endif
        return await run(telling: context, body)
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
