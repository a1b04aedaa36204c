/// Nanoseconds of the cheapest child task that the language has: one that is cancelled with its caller, has the caller's
/// task-local values and executor, is awaited, and gives back a value.
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
    return min(inDiscardingGroup.nanoseconds, inGroup.nanoseconds, asyncLet.nanoseconds)
}

/// An operation that lets others go first, once.
@inline(never)
func suspending(_ value: Int) async -> Int {
    await Task.yield()
    return value
}
