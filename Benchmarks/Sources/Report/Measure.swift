import CAllocations
import CLimits

/// Nanoseconds and allocations of one operation.
struct Figure {
    let nanoseconds: Double
    let allocations: Double
}

/// How often an operation is repeated between two reads of the clock, and how many such rounds there are.
enum Effort {
    static let iterations = 200_000
    static let rounds = 31
}

/// The median over rounds of the time of one repetition of `body`, on one thread.
func measure(times iterations: Int = Effort.iterations, _ body: (Int) -> Void) -> Figure {
    body(iterations)
    var times: [Double] = []
    times.reserveCapacity(Effort.rounds)
    let allocated = allocations_of_thread()
    for _ in 0..<Effort.rounds {
        let start = limit_clock()
        body(iterations)
        times.append(Double(limit_clock() - start) / Double(iterations))
    }
    let counted = allocations_of_thread() - allocated
    times.sort()
    return Figure(
        nanoseconds: times[times.count / 2],
        allocations: Double(counted) / Double(iterations * Effort.rounds))
}

/// As ``measure(_:)`` for an operation that is awaited.
func measureAsync(times iterations: Int = Effort.iterations, _ body: (Int) async -> Void) async -> Figure {
    await body(iterations)
    var times: [Double] = []
    times.reserveCapacity(Effort.rounds)
    let allocated = allocations_of_process()
    for _ in 0..<Effort.rounds {
        let start = limit_clock()
        await body(iterations)
        times.append(Double(limit_clock() - start) / Double(iterations))
    }
    let counted = allocations_of_process() - allocated
    times.sort()
    return Figure(
        nanoseconds: times[times.count / 2],
        // A new task now and then takes a slab of memory for its frames.
        allocations: (Double(counted) / Double(iterations * Effort.rounds) * 1_000).rounded() / 1_000)
}

/// Nanoseconds of one repetition for each of `threads` threads that run `body` at once on the same object.
func measure(threads: Int, _ body: @escaping @Sendable (Int) -> Void) async -> Figure {
    var times: [Double] = []
    let allocated = allocations_of_process()
    for _ in 0..<Effort.rounds {
        let gate = StartingGate(threads)
        let spans = await withTaskGroup(of: Double.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    gate.wait()
                    let start = limit_clock()
                    body(Effort.iterations)
                    return Double(limit_clock() - start) / Double(Effort.iterations)
                }
            }
            var spans: [Double] = []
            for await span in group { spans.append(span) }
            return spans
        }
        times.append(spans.max() ?? 0)
    }
    let counted = Double(allocations_of_process() - allocated)
    times.sort()
    return Figure(
        nanoseconds: times[times.count / 2],
        allocations: (counted / Double(Effort.iterations * Effort.rounds * threads) * 100).rounded() / 100)
}

/// Lets threads begin together.
///
/// Each spins, so there must be a core for each.
final class StartingGate: @unchecked Sendable {
    private let count = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    private let threads: UInt64

    init(_ threads: Int) {
        count.initialize(to: 0)
        self.threads = UInt64(threads)
    }

    deinit { count.deallocate() }

    func wait() {
        _ = limit_add(count)
        while limit_load(count) < threads {}
    }
}
