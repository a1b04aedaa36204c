/// Where chance comes from in a storm.
protocol Dice: Sendable {
    /// A number from 0 up to, but not including, `count`.
    mutating func pick(below count: Int) -> Int
    /// Whether a call to a healthy replica succeeds in a slot, given the share of calls that do.
    mutating func succeeds(in slot: Slot, share: Double) -> Bool
}

/// The time and place of one call.
struct Slot: Sendable {
    let tick: Int
    let replica: Int
    /// Counts the calls of the tick on the replica, from 0.
    let index: Int
}
