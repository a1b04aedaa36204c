/// Why a simulation could not run to its end.
public enum SimulationError: Error, Hashable, CustomStringConvertible {
    /// The tasks of these names have not ended, none of them can go on, and none sleeps on the simulation's time.
    ///
    /// They wait for each other, or for something outside: an unstructured `Task`, another clock, another executor.
    case stuck(tasks: [String])
    /// More jobs ran than allowed, the last of the task of this name: something goes round and round.
    case endless(jobs: Int, task: String)
    /// A task of the simulation was resumed by a thread outside of it, at a moment that no seed decides.
    case escaped
    /// The simulation is running already.
    case running
    /// `SPILLWAY_SEED` is in the environment and is no number.
    case unreadableSeed(String)

    /// One line.
    public var description: String {
        switch self {
        case .stuck(let tasks):
            "nothing can go on, and these have not ended: \(tasks.prefix(8).joined(separator: ", "))"
                + (tasks.count > 8 ? " and \(tasks.count - 8) more" : "")
                + ". They wait for each other; for a replica that hangs, without a timeout; or for something outside of the "
                + "simulation: another clock (has the policy its time?), another executor, an unstructured Task"
        case .endless(let jobs, let task):
            "more than \(jobs) jobs ran, the last in '\(task)': something goes round and round"
        case .escaped:
            "a task of the simulation was resumed from outside (by an unstructured Task, another clock or executor): use "
                + "start(_:) of the simulation and its time"
        case .running: "the simulation is running already"
        case .unreadableSeed(let text): "SPILLWAY_SEED is '\(text)', but must be a number from 0"
        }
    }
}

/// The seed of a simulation that failed, with what failed and the last steps before.
public struct SimulationFailure: Error, CustomStringConvertible {
    /// The seed, which fails again.
    public let seed: UInt64
    /// What the body threw.
    public let error: any Error
    /// The faults that are left after shrinking, as Swift source; nil when there was no script.
    public let script: String?
    /// Every step of the failing run.
    public let trace: [String]
    /// Whether the seed failed again when it was run a second time.
    ///
    /// If not, something outside of the simulation decides.
    public let replays: Bool

    /// A failure.
    public init(seed: UInt64, error: any Error, script: String? = nil, trace: [String] = [], replays: Bool = true) {
        self.seed = seed
        self.error = error
        self.script = script
        self.trace = trace
        self.replays = replays
    }

    /// The seed, the error, how to replay, the faults, and the last 20 steps.
    public var description: String {
        var lines = ["seed \(seed) failed: \(error)"]
        lines.append(
            replays
                ? "replay it with SPILLWAY_SEED=\(seed) in the environment"
                : "it did not fail again: something outside of the simulation decides")
        if let script { lines.append("let script: FaultScript = \(script)") }
        if !trace.isEmpty { lines.append("last steps:") }
        return (lines + trace.suffix(20).map { "  \($0)" }).joined(separator: "\n")
    }
}
