import FleetFaults

extension FaultKind {
    /// Whether the fault can show in such a call: only a stream has a `[DONE]`, only a long prompt runs out of memory.
    func applies(streamed: Bool, promptTokens: Int) -> Bool {
        switch self {
        case .noDone: streamed
        case .outOfMemory: promptTokens > 512
        default: true
        }
    }

    /// Whether a client that reads to the end gets the whole, intact answer in spite of the fault.
    var leavesAnswerWhole: Bool {
        self == .slowFirstToken
    }
}
