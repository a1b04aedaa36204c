/// What goes wrong in one run: faults, written out or from a seed.
///
/// ```swift
/// let script: FaultScript = try [
///     .zoneLoss(1, at: .seconds(2), for: .seconds(5)),
///     .errors(.replica(0), rate: 0.3, at: .zero, for: .seconds(9)),
///     .cancellation(ofCall: 4, atAwait: 2),
/// ]
/// ```
///
/// Faults may overlap: delays add up, slowdowns multiply, and of the rest the worst counts.
public struct FaultScript: Sendable, Hashable, ExpressibleByArrayLiteral {
    /// The faults, in no particular order.
    public let faults: [Fault]

    /// A script of these faults; of none by default.
    public init(_ faults: [Fault] = []) { self.faults = faults }

    /// A script of these faults.
    public init(arrayLiteral faults: Fault...) { self.faults = faults }

    /// When the call with this number is to be cancelled: just before it goes on for the n-th time; nil: never.
    ///
    /// For `Simulation.start(_:cancelledAtAwait:_:)`. Of several, the first counts.
    public func cancellation(ofCall number: Int) -> Int? {
        faults.compactMap { fault in
            guard case .cancellation(number, let atAwait) = fault.kind else { return nil }
            return atAwait
        }.min()
    }

    /// By how much the clock jumps forward in all, to allow for in a grace; at most 10 years.
    public var forwardJumps: Duration {
        let sum = faults.reduce(Duration.zero) { sum, fault in
            guard case .clockJump(let jump) = fault.kind, jump > .zero else { return sum }
            return sum + jump
        }
        return min(sum, .seconds(315_576_000))
    }

    /// Whether the clock goes back.
    public var turnsClockBack: Bool {
        faults.contains { fault in
            guard case .clockJump(let jump) = fault.kind else { return false }
            return jump < .zero
        }
    }
}

extension FaultScript: CustomStringConvertible {
    /// The script as Swift source, to be pasted after `let script: FaultScript =`.
    public var description: String {
        if faults.isEmpty { return "[]" }
        return "try [\n" + faults.map { "    \($0),\n" }.joined() + "]"
    }
}
