internal import SpillwayCore

extension Hedge {
    /// What the tasks of a call take over from the running one: the executor that it prefers, nil where there is none or the
    /// system cannot tell, and whether it is cancelled already.
    @usableFromInline
    static var caller: (executor: (any TaskExecutor)?, cancelled: Bool) {
        withUnsafeCurrentTask { task in
            guard let task else { return (nil, false) }
            #if compiler(>=6.3)
            if #available(macOS 26.4, iOS 26.4, tvOS 26.4, watchOS 26.4, visionOS 26.4, *) {
                return (task.unownedTaskExecutor?.asTaskExecutor(), task.isCancelled)
            }
            #endif
            return (nil, task.isCancelled)
        }
    }

    /// Starts a task that can be cancelled by itself.
    ///
    /// It runs at once and on the caller's thread as far as its first suspension, where the system can do that.
    @inlinable
    static func launch<Value: Sendable>(
        on executor: (any TaskExecutor)?, _ body: sending @escaping @isolated(any) () async -> Value
    ) -> Task<Value, Never> {
        if #available(macOS 26.0, iOS 26.0, tvOS 26.0, watchOS 26.0, visionOS 26.0, *) {
            Task.immediate(executorPreference: executor, operation: body)
        } else {
            Task(executorPreference: executor, operation: body)
        }
    }
}
