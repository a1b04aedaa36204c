extension Deadline { package var isCooperative: Bool { false }; package var minimum: Duration { .zero } }
@usableFromInline package enum ChildTask {
    @usableFromInline package static func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task.immediate(executorPreference: TaskExecutorPreference.current) { await body() }
        return await withTaskCancellationHandler { await task.value } onCancel: { task.cancel() }
    }
}
