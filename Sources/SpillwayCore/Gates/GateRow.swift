/// Gates in the order in which they are asked, as policies and routers keep them.
///
/// Their states are without counted references: the row keeps the gates, and what forwards to foreign ones.
package struct GateRow: @unchecked Sendable {
    package let gates: [any Gate]
    private let foreign: [ForeignGateState]
    package let states: [Unmanaged<GateState>]

    package init(_ gates: [any Gate]) {
        var foreign: [ForeignGateState] = []
        states = gates.map { gate in
            if let gate = gate as? any BuiltInGate { return .passUnretained(gate.state) }
            let state = ForeignGateState(gate)
            foreign.append(state)
            return .passUnretained(state)
        }
        self.gates = gates
        self.foreign = foreign
    }

    /// Whether some gate wants to know what attempts use.
    package var isMetered: Bool { states.contains { $0._withUnsafeGuaranteedRef(\.isMetered) } }
}

extension PermitStack {
    /// Asks one gate, and keeps its permit.
    @inline(__always)
    package mutating func admit(
        _ gate: Unmanaged<GateState>, _ call: borrowing Call, at now: Instant
    ) throws(Rejection) {
        // `_withUnsafeGuaranteedRef` does not know typed errors.
        let answer = gate._withUnsafeGuaranteedRef { state in
            Result { () throws(Rejection) in try state.admit(copy call, at: now).take() }
        }
        push(try answer.get())
    }
}
