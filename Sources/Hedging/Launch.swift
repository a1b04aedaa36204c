public import SpillwayCore

extension Hedge {
    /// What the tasks of a call take over from the running one: the executor that it prefers, nil where there is none or the
    /// system cannot tell, and whether it is cancelled already.
    @usableFromInline
    static var caller: (executor: (any TaskExecutor)?, cancelled: Bool) {
        (TaskExecutorPreference.current, Task.isCancelled)
    }

    /// Starts a task that can be cancelled by itself.
    ///
    /// It runs at once and on the caller's thread as far as its first suspension, where the system can do that.
    @inlinable
    static func launch<Value: Sendable>(
        on executor: (any TaskExecutor)?, _ body: sending @escaping @isolated(any) () async -> Value
    ) -> Task<Value, Never> {
        ChildTask.start(on: executor, body)
    }
}
