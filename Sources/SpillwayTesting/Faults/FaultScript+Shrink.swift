internal import SpillwayCore

extension FaultScript {
    /// A smaller script that still fails: fewer faults, and each as short and weak as it may be.
    ///
    /// First delta debugging over the faults (the algorithm *ddmin* of Zeller and Hildebrandt, *Simplifying and isolating
    /// failure-inducing input*, IEEE TSE 28(2), 2002): it ends with faults none of which can be left out. Then the length
    /// and the numbers of each are halved towards nothing for as long as the script still fails. The result depends on
    /// `stillFails` alone.
    ///
    /// - Parameters:
    ///   - tries: How often to ask at most, 1,000 by default; then what was reached so far is returned.
    ///   - stillFails: Whether a script still fails as this one does. It is not asked about this script itself.
    /// - Throws: What `stillFails` throws.
    public func shrunk(
        tries: Int = 1_000, while stillFails: (FaultScript) throws -> Bool
    ) rethrows -> FaultScript {
        var shrinker = Shrinker(faults: faults, tries: tries)
        try shrinker.removeFaults(stillFails)
        try shrinker.weakenFaults(stillFails)
        return FaultScript(shrinker.faults)
    }
}

private struct Shrinker {
    var faults: [Fault]
    var tries: Int

    /// Takes `candidate` when it still fails.
    mutating func accepts(_ candidate: [Fault], _ stillFails: (FaultScript) throws -> Bool) rethrows -> Bool {
        guard tries > 0 else { return false }
        tries -= 1
        guard try stillFails(FaultScript(candidate)) else { return false }
        faults = candidate
        return true
    }

    mutating func removeFaults(_ stillFails: (FaultScript) throws -> Bool) rethrows {
        if try faults.isEmpty || accepts([], stillFails) { return }
        var parts = 2
        while faults.count > 1, tries > 0 {
            parts = min(parts, faults.count)
            let bounds = (0...parts).map { faults.count * $0 / parts }
            let ranges = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
            let old = faults
            if try ranges.contains(where: { try accepts(Array(old[$0]), stillFails) }) {
                parts = 2
            } else if try parts > 2 && ranges.contains(where: { try accepts(old.without($0), stillFails) }) {
                // Not for two parts: there each is the rest of the other.
                parts = max(parts - 1, 2)
            } else if parts < faults.count {
                parts *= 2
            } else {
                return
            }
        }
    }

    mutating func weakenFaults(_ stillFails: (FaultScript) throws -> Bool) rethrows {
        for index in faults.indices {
            // Each step halves something, so this ends.
            var goesOn = true
            while goesOn, tries > 0 {
                goesOn = false
                for weaker in faults[index].weaker {
                    var candidate = faults
                    candidate[index] = weaker
                    if try accepts(candidate, stillFails) {
                        goesOn = true
                        break
                    }
                }
            }
        }
    }
}

extension [Fault] {
    fileprivate func without(_ range: Range<Int>) -> [Fault] {
        Array(self[..<range.lowerBound] + self[range.upperBound...])
    }
}

extension Fault {
    /// Faults that differ from this one in being half as long, or half as strong.
    var weaker: [Fault] {
        var found: [Fault] = []
        func add(_ change: (inout Fault) -> Void) {
            var fault = self
            change(&fault)
            found.append(fault)
        }
        if let half = length.halved { add { $0.length = half } }
        switch kind {
        case .latency(let delay): if let half = delay.halved { add { $0.kind = .latency(half) } }
        case .slowdown(let factor) where factor > 1.1:
            add { $0.kind = .slowdown(1 + (factor - 1) / 2) }
        case .errors(let rate) where rate > 0.01: add { $0.kind = .errors(rate / 2) }
        case .rateLimit(let hint?):
            add { $0.kind = .rateLimit(retryAfter: nil) }
            if let half = hint.halved { add { $0.kind = .rateLimit(retryAfter: half) } }
        case .memory(let share) where share < 0.99: add { $0.kind = .memory(1 - (1 - share) / 2) }
        case .clockJump(let jump): if let half = jump.halved { add { $0.kind = .clockJump(half) } }
        case .cancellation(let call, let number) where number > 0:
            add { $0.kind = .cancellation(call: call, atAwait: number / 2) }
        default: break
        }
        return found
    }
}

extension Duration {
    /// Half of it, towards zero, in whole milliseconds; nil for less than two of them.
    fileprivate var halved: Duration? {
        let half = clampedNanoseconds / 2_000_000
        return half == 0 ? nil : .milliseconds(half)
    }
}
