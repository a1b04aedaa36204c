/// Which of the last calls failed, in the order in which they began.
///
/// A row is calls that began one after the other and all failed. One between them that is still under way ends it as one that
/// went well does: where failures are quick and answers take long, three failures among a hundred calls would else look like a
/// row. Calls that said nothing are passed over.
///
/// It is touched under the lock of the health alone.
final class CallRow {
    /// Failures of calls that began so many others ago are found no more.
    private static let size: UInt64 = 256

    /// The number of a call, and in the lowest bit whether it failed or said nothing.
    private let entries: UnsafeMutablePointer<UInt64>
    /// The last call that went well, in the order in which they began.
    private var proven: UInt64 = 0
    /// Calls up to this one count for nothing.
    private var floor: UInt64 = 0

    init() {
        entries = .allocate(capacity: Int(Self.size))
        entries.initialize(repeating: 0, count: Int(Self.size))
    }

    deinit { entries.deallocate() }

    /// Forgets all calls up to the one with this number.
    func forget(through number: UInt64) { floor = max(floor, number) }

    /// Whether a call that went wrong says anything: no later one went well, and it is not forgotten.
    func counts(_ number: UInt64) -> Bool { number > floor && number >= proven }

    /// Whether a call that went well is not forgotten.
    func succeeded(_ number: UInt64) -> Bool {
        guard number > floor else { return false }
        proven = max(proven, number)
        return true
    }

    /// Passes over a call that said nothing.
    func skip(_ number: UInt64) { note(number, failed: false) }

    /// How long the row is to which a call belongs that failed.
    func failed(_ number: UInt64) -> Int {
        note(number, failed: true)
        var count = 1, before = number - 1, after = number + 1
        while before > floor, let failed = state(before) {
            count += failed ? 1 : 0
            before -= 1
        }
        while let failed = state(after) {
            count += failed ? 1 : 0
            after += 1
        }
        return count
    }

    private func note(_ number: UInt64, failed: Bool) {
        entries[Int(number % Self.size)] = number << 1 | (failed ? 1 : 0)
    }

    /// Whether the call failed; nil: it went well, is under way, or is too long ago.
    private func state(_ number: UInt64) -> Bool? {
        let entry = entries[Int(number % Self.size)]
        return entry >> 1 == number && number > proven ? entry & 1 == 1 : nil
    }
}
