/// Which of the last calls failed, in the order in which they began.
///
/// A row is calls that began one after the other and all failed. One between them that is still under way ends it as one that
/// went well does: where failures are quick and answers take long, three failures among a hundred calls would else look like a
/// row. Calls that said nothing are passed over.
///
/// A call whose first content has come has shown that earlier ones without theirs say nothing any more, but not that it will come
/// to its end: where every stream breaks off after its beginning, those that broke are a row as well.
///
/// It is touched under the lock of the health alone.
final class CallRow {
    /// What is known of a call.
    private enum State: UInt64 {
        case failed, saidNothing
        /// Its first content came, and it has not failed since.
        case speaks
    }

    /// Calls that began so many others ago are found no more.
    private static let size: UInt64 = 1_024

    /// The number of a call, and in the two lowest bits its state.
    private let entries: UnsafeMutablePointer<UInt64>
    /// The last call that spoke, and the last that went well to its end, in the order in which they began.
    private var spoken: UInt64 = 0
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

    /// Whether a call that went wrong says anything: none that began later came as far as it did, and it is not forgotten.
    func counts(_ number: UInt64) -> Bool {
        number > floor && (number >= spoken || state(number) == .speaks && number > proven)
    }

    /// Notes that the first content of a call has come.
    func spoke(_ number: UInt64) {
        guard number > floor else { return }
        spoken = max(spoken, number)
        note(number, .speaks)
    }

    /// Whether a call that went well to its end is not forgotten.
    func succeeded(_ number: UInt64) -> Bool {
        guard number > floor else { return false }
        spoken = max(spoken, number)
        proven = max(proven, number)
        return true
    }

    /// Passes over a call that said nothing, or that ended early by no fault of the replica.
    func skip(_ number: UInt64) { note(number, .saidNothing) }

    /// How long the row is to which a call belongs that failed.
    func failed(_ number: UInt64) -> Int {
        // One that never spoke goes on with no row from before the last that did.
        let floor = max(floor, state(number) == .speaks ? proven : max(proven, spoken))
        note(number, .failed)
        var count = 1, before = number - 1, after = number + 1
        while before > floor, let failed = inRow(before) {
            count += failed ? 1 : 0
            before -= 1
        }
        while let failed = inRow(after) {
            count += failed ? 1 : 0
            after += 1
        }
        return count
    }

    private func note(_ number: UInt64, _ state: State) {
        let slot = Int(number % Self.size)
        // One of so long ago takes the place of no later one.
        if entries[slot] >> 2 <= number { entries[slot] = number << 2 | state.rawValue }
    }

    /// What is known of a call; nil: nothing, or it is too long ago.
    private func state(_ number: UInt64) -> State? {
        let entry = entries[Int(number % Self.size)]
        return entry >> 2 == number ? State(rawValue: entry & 3) : nil
    }

    /// Whether a call of a row failed; nil: it ends the row.
    private func inRow(_ number: UInt64) -> Bool? {
        guard let state = state(number), state != .speaks else { return nil }
        return state == .failed
    }
}
