/// Decides which of several attempts at one call may pass its answer on.
package protocol Arbiter: AnyObject, Sendable {
    /// Whether the attempt with this number of hedge may: true for the first that asks, and for that one ever after.
    func commit(_ hedge: Int) -> Bool
}
