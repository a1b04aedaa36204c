/// A script as a list of moments at which something changes.
struct FaultSchedule: Sendable {
    enum Change: Sendable {
        case begins(Int)
        case ends(Int)
        case jump(Duration)
    }

    /// In order of time; of one moment, in the script's order, and no fault ends before it began.
    let steps: [(at: Duration, change: Change)]

    init(_ script: FaultScript) {
        var steps: [(at: Duration, change: Change)] = []
        for (index, fault) in script.faults.enumerated() {
            switch fault.kind {
            case .cancellation: break
            case .clockJump(let jump): steps.append((fault.start, .jump(jump)))
            default: steps += [(fault.start, .begins(index)), (fault.end, .ends(index))]
            }
        }
        // Sorting is stable only by its number.
        self.steps = steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map(\.element)
    }
}
