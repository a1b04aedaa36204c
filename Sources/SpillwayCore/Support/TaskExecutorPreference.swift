/// The executor that the running task prefers.
@usableFromInline
package enum TaskExecutorPreference {
    /// Nil where there is none, or the system cannot tell.
    @usableFromInline
    package static var current: (any TaskExecutor)? {
        withUnsafeCurrentTask { task in
            #if compiler(>=6.3)
            if #available(macOS 26.4, iOS 26.4, tvOS 26.4, watchOS 26.4, visionOS 26.4, *) {
                return task?.unownedTaskExecutor?.asTaskExecutor()
            }
            #endif
            return nil
        }
    }
}
