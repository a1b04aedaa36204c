/// What is wrong with one replica now: all faults that strike it, taken together.
struct ReplicaCondition: Hashable {
    var isDown = false
    var isHung = false
    var delay = Duration.zero
    var slowdown = 1.0
    var errorRate = 0.0
    var isLimited = false
    var hint: Duration?
    var memory = 1.0

    /// The condition under `faults`: delays add up, slowdowns multiply, and of the rest the worst counts.
    init(_ faults: some Sequence<Fault>) {
        for fault in faults {
            switch fault.kind {
            case .crash: isDown = true
            case .hang: isHung = true
            case .latency(let added): delay += added
            case .slowdown(let factor): slowdown *= factor
            case .errors(let rate): errorRate = max(errorRate, rate)
            case .rateLimit(let hint):
                isLimited = true
                self.hint = [self.hint, hint].compactMap { $0 }.max()
            case .memory(let share): memory = min(memory, share)
            case .clockJump, .cancellation: break
            }
        }
    }
}
