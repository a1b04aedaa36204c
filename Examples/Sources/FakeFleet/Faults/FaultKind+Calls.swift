import FleetFaults

extension FaultKind {
    /// Whether the fault can show in such a call: only a stream has a `[DONE]`, only a long prompt runs out of memory.
    func applies(streamed: Bool, promptTokens: Int, isPrefilled: Bool = false) -> Bool {
        switch self {
        case .noDone, .openEnd, .dribble, .errorEvent, .lateErrorEvent: streamed
        case .outOfMemory: promptTokens > 512
        case .noPrefill: isPrefilled
        default: true
        }
    }

    /// Whether a client that reads to the end gets the whole, intact answer in spite of the fault.
    var leavesAnswerWhole: Bool {
        self == .slowFirstToken || self == .dribble
    }
}
