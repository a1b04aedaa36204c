internal import SpillwayCore

/// The attempts that stand beside each other.
///
/// Unchecked: a place is filled before the task that looks at it starts.
@usableFromInline
final class Legs: @unchecked Sendable {
    private let first: Leg
    private var second: Leg?
    private var third: Leg?
    private var fourth: Leg?

    init(_ first: Leg) { self.first = first }

    @usableFromInline
    subscript(hedge: Int) -> Leg? {
        switch hedge {
        case 0: first
        case 1: second
        case 2: third
        default: fourth
        }
    }

    /// Adds the leg of the next hedge.
    func add(_ leg: Leg) {
        switch leg.attempt.hedge {
        case 1: second = leg
        case 2: third = leg
        default: fourth = leg
        }
    }

    /// All of them, in the order in which they began; for the task of the call.
    var all: [Leg] { [first, second, third, fourth].compactMap(\.self) }
}
