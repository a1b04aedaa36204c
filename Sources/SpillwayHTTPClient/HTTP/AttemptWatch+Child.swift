#if HTTPClientSupport
internal import Spillway

extension AttemptWatch {
    /// Runs `body` in a task of its own, which alone is cancelled when a limit is met.
    func child<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        await ChildTask.run { await self.run { await body() } }
    }
}
#endif
