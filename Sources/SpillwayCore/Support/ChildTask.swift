/// A task of its own for a piece of work, so that it can be cancelled by itself.
@usableFromInline
package enum ChildTask {
    /// Runs `body` in a child task, and waits for its end.
    ///
    /// The child starts on the caller's thread and, where the system can do that, runs there as far as its first suspension.
    /// It has the caller's task-local values, priority and task executor, and is cancelled with the caller.
    ///
    /// A discarding group, because it is the cheapest way to a child task: there are no results to queue. That of this
    /// one goes into memory of its own.
    @inlinable
    package static func run<Value: Sendable>(_ body: @Sendable () async -> Value) async -> Value {
        // Written by the child, and read after the group has waited for that.
        nonisolated(unsafe) let result = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        defer { result.deallocate() }
        await withoutActuallyEscaping(body) { body in
            await withDiscardingTaskGroup { group in
                if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
                    group.addImmediateTask { result.initialize(to: await body()) }
                } else {
                    group.addTask { result.initialize(to: await body()) }
                }
            }
        }
        return result.move()
    }

    /// Starts a task that nobody need wait for; at once on the caller's thread, where the system can do that.
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
