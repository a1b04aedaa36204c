import SpillwayCore

/// What one step costs, as a roofline: fixed costs, and the slower of compute and memory.
struct StepCost: Sendable {
    /// Nanoseconds whatever the batch's tokens are.
    let fixed: Double
    /// Nanoseconds of compute.
    let compute: Double
    /// Tokens whose keys and values are read.
    let context: Int
    /// How many more are read in each step than in the one before.
    let growth: Int
    /// Nanoseconds to read the weights, and to read one token's keys and values.
    let weightsRead, contextRead: Double
    /// The engine's ``EngineModel/slowdown``.
    let pace: Double

    /// How long the step with this number takes, at least 1 ns.
    func time(step: Int) -> Duration {
        let memory = weightsRead + Double(context + step * growth) * contextRead
        return StepCost.duration((fixed + max(compute, memory)) * pace)
    }

    /// Whole nanoseconds, and few enough that sums of them do not overflow: at most three years.
    static func duration(_ nanoseconds: Double) -> Duration {
        .nanoseconds(Int64(min(max(nanoseconds.rounded(), 1), 1e17)))
    }
}

/// Steps under way in which the batch does not change.
struct StepRun: Sendable {
    /// When the first of them began.
    private(set) var start: Instant
    private(set) var end: Instant
    private(set) var steps: Int
    /// Steps with this cost that came before.
    private var before = 0
    private let cost: StepCost

    init(start: Instant, steps: Int, cost: StepCost) {
        self.start = start
        self.steps = steps
        self.cost = cost
        end = start
        for step in 0..<steps { end = end.advanced(by: cost.time(step: step)) }
    }

    /// Takes off the steps that are over at `now`; nil when the first is still under way.
    mutating func split(at now: Instant) -> StepRun? {
        var done = self
        done.steps = 0
        done.end = start
        // The last step never is: a run is over when it is.
        while done.steps < steps - 1 {
            let boundary = done.end.advanced(by: cost.time(step: before + done.steps))
            guard boundary <= now else { break }
            done.end = boundary
            done.steps += 1
        }
        guard done.steps > 0 else { return nil }
        start = done.end
        steps -= done.steps
        before += done.steps
        return done
    }

    /// Leaves only the first step.
    mutating func cut() {
        guard steps > 1 else { return }
        steps = 1
        end = start.advanced(by: cost.time(step: before))
    }

    /// Makes what is left of the one step take `factor` times as long.
    mutating func rescale(by factor: Double, at now: Instant) {
        let left = Double(now.duration(to: end).clampedNanoseconds) * factor
        end = now.advanced(by: StepCost.duration(left))
    }
}
