import CLimits

/// The physical limits of this machine, in nanoseconds, measured in this run.
struct Limits {
    let load: Double
    let cas: Double
    let add: Double
    let clock: Double
    let random: Double
    let closure: Double
    let child: Double
    /// The cheapest child task that is cancelled with its caller, one that ends at once and one that suspends once.
    let structuredChild: Double
    let structuredChildSuspending: Double

    static func measured() async -> Limits {
        let word = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        word.initialize(to: 0)
        defer { word.deallocate() }
        let load = measure { for _ in 0..<$0 { limit_keep(limit_load(word)) } }
        let cas = measure { for _ in 0..<$0 { limit_keep(limit_cas(word) ? 1 : 0) } }
        let add = measure { for _ in 0..<$0 { limit_keep(limit_add(word)) } }
        let clock = measure { for _ in 0..<$0 { limit_keep(UInt64(limit_clock())) } }
        let random = measure { for _ in 0..<$0 { limit_keep(limit_random(word)) } }
        let closure = await measureAsync { count in
            for index in 0..<count { limit_keep(UInt64(await awaited(index))) }
        }
        let child = await measureAsync(times: 20_000, children)
        return Limits(
            load: load.nanoseconds, cas: cas.nanoseconds, add: add.nanoseconds, clock: clock.nanoseconds,
            random: random.nanoseconds, closure: closure.nanoseconds,
            child: child.nanoseconds,
            structuredChild: await structuredChildTask(trivial),
            structuredChildSuspending: await structuredChildTask(suspending))
    }
}

/// Child tasks that have nothing to do, one after the other.
func children(_ count: Int) async {
    await withTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
            group.addTask {}
            await group.next()
        }
    }
}

/// An operation that has nothing to do.
///
/// The compiler cannot see that.
@inline(never)
func trivial(_ value: Int) async -> Int { value }

@inline(never)
private func call(_ closure: (Int) async -> Int, _ value: Int) async -> Int { await closure(value) }

/// An awaited closure.
private func awaited(_ value: Int) async -> Int { await call(trivial, value) }

/// Uses a value, so that the compiler cannot leave out what made it.
@inline(never) @_optimize(none)
func keep<Value>(_ value: Value) {}
