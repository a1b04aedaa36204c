/// How much each limit had been charged at times of late, so that an answer can be told what was let in since its request was sent.
///
/// Exact for the last 128 calls that were let in; before that, 64 seconds in quarters.
struct QuotaHistory: ~Copyable {
    private static let slices = 256, entries = 128
    /// Nanoseconds.
    private static let slice: Int64 = 250_000_000

    /// What each limit had been charged when a call had been let in.
    private struct Entry {
        var at = Int64.max
        var charged = SIMD8<Int64>()
    }

    private let sliced = UnsafeMutablePointer<Int64>.allocate(capacity: slices * QuotaBooks.meterCount)
    /// The slice that was begun last, for each limit.
    private let latest = UnsafeMutablePointer<Int64>.allocate(capacity: QuotaBooks.meterCount)
    private let recent = UnsafeMutablePointer<Entry>.allocate(capacity: entries)
    /// How many calls were let in.
    private var count = 0

    init() {
        sliced.initialize(repeating: 0, count: Self.slices * QuotaBooks.meterCount)
        latest.initialize(repeating: 0, count: QuotaBooks.meterCount)
        recent.initialize(repeating: Entry(), count: Self.entries)
    }

    deinit {
        sliced.deallocate()
        latest.deallocate()
        recent.deallocate()
    }

    /// Begins anew with nothing charged.
    func clear(_ index: Int, at now: Int64) {
        latest[index] = now / Self.slice
        (sliced + index * Self.slices).update(repeating: 0, count: Self.slices)
        for entry in 0..<Self.entries { recent[entry].charged[index] = 0 }
    }

    /// Takes note, before more is charged at `now`, of what has been charged so far.
    @inline(__always)
    func note(_ index: Int, _ amount: Int64, at now: Int64) {
        let current = now / Self.slice
        if current > latest[index] { fill(index, amount, current) }
    }

    private func fill(_ index: Int, _ amount: Int64, _ current: Int64) {
        let ring = sliced + index * Self.slices
        for slice in max(latest[index] + 1, current - Int64(Self.slices) + 1)...current {
            ring[Int(slice) & (Self.slices - 1)] = amount
        }
        latest[index] = current
    }

    /// A call has been let in.
    @inline(__always)
    mutating func admitted(_ charged: SIMD8<Int64>, at now: Int64) {
        recent[count & (Self.entries - 1)] = Entry(at: now, charged: charged)
        count += 1
    }

    /// What had been charged at `instant`, or at the oldest time that is known; `now`: what has been by now.
    func charged(_ index: Int, at instant: Int64, now: Int64) -> Int64 {
        for back in 1...Self.entries where back <= count {
            let entry = recent[(count - back) & (Self.entries - 1)]
            if entry.at <= instant { return entry.charged[index] }
        }
        // Nobody had been let in before that.
        if count < Self.entries { return 0 }
        let slice = max(instant / Self.slice, latest[index] - Int64(Self.slices) + 1)
        return slice > latest[index] ? now : (sliced + index * Self.slices)[Int(slice) & (Self.slices - 1)]
    }
}
