public import SpillwayCore

/// Gates that every attempt of a policy passes: all of them, or none and nothing is taken.
public struct Gates: Sendable {
    let gates: [any Gate]

    /// Gates in the order in which they are asked; put the one that is likeliest to refuse first.
    public init(_ gates: any Gate...) {
        self.gates = gates
    }

    /// Gates in the order in which they are asked.
    public init(_ gates: [any Gate]) {
        self.gates = gates
    }
}
