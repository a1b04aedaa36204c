/// Nanoseconds of the cheapest child task that the language has: one that is cancelled with its caller, has the caller's
/// task-local values, is awaited, and gives back a value.
///
/// The unstructured one is the cheapest, and the only one that would not have the caller's task executor.
func structuredChildTask(_ work: @escaping @Sendable (Int) async -> Int) async -> Double {
    let inDiscardingGroup = await measureAsync(times: 20_000) { count in
        for index in 0..<count {
            nonisolated(unsafe) let result = UnsafeMutablePointer<Int>.allocate(capacity: 1)
            await withDiscardingTaskGroup { group in
                if #available(macOS 26.0, *) {
                    group.addImmediateTask { result.initialize(to: await work(index)) }
                } else {
                    group.addTask { result.initialize(to: await work(index)) }
                }
            }
            keep(result.move())
            result.deallocate()
        }
    }
    let inGroup = await measureAsync(times: 20_000) { count in
        for index in 0..<count {
            await withTaskGroup(of: Int.self) { group in
                if #available(macOS 26.0, *) {
                    group.addImmediateTask { await work(index) }
                } else {
                    group.addTask { await work(index) }
                }
                keep(await group.next())
            }
        }
    }
    let asyncLet = await measureAsync(times: 20_000) { count in
        for index in 0..<count {
            async let value = work(index)
            keep(await value)
        }
    }
    let unstructured = await measureAsync(times: 20_000) { count in
        for index in 0..<count {
            let task =
                if #available(macOS 26.0, *) {
                    Task.immediate { await work(index) }
                } else {
                    Task { await work(index) }
                }
            keep(
                await withTaskCancellationHandler {
                    await task.value
                } onCancel: {
                    task.cancel()
                })
        }
    }
    return [inDiscardingGroup, inGroup, asyncLet, unstructured].map(\.nanoseconds).min()!
}

/// An operation that lets others go first, once.
@inline(never)
func suspending(_ value: Int) async -> Int {
    await Task.yield()
    return value
}
