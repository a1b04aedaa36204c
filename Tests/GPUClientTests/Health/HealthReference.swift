import GPUClient
import SpillwayCore

/// The rules of health once more, in the plainest way, for a replica whose probes answer at once and without jitter.
///
/// All calls are kept and looked through, in the order in which they began; intervals and the order of probes are not its matter.
struct HealthReference {
    private enum CallState {
        case open, speaks, good, bad, saidNothing
    }

    private(set) var phase = HealthPhase.starting
    /// All calls, in the order in which they began.
    private var calls: [CallState] = []
    /// Those whose first content came, whatever became of them.
    private var spoken: Set<Int> = []
    /// How many of them began before this phase.
    private var older = 0
    private var sawSuccess = true
    private var relapses = 0
    private var goods = 0
    private var misses = 0
    private var silences = 0
    private var wasAlive = false
    private var isVetoed = false
    private var isDrained = false

    /// Calls begin.
    mutating func begin() { calls.append(.open) }

    mutating func spoke(_ call: Int) {
        guard phase == .ready, call >= older else { return }
        calls[call] = .speaks
        spoken.insert(call)
    }

    /// Whether a call that goes wrong says nothing, because a later one came further.
    private func isPast(_ call: Int) -> Bool {
        let later = (call + 1)..<calls.count
        return calls[call] == .speaks
            ? later.contains { calls[$0] == .good }
            : later.contains { calls[$0] == .good || spoken.contains($0) }
    }

    mutating func ended(_ call: Int, _ outcome: Outcome.Verdict, at now: Int64) {
        guard phase == .ready, call >= older else { return }
        switch outcome {
        case .success:
            calls[call] = .good
            sawSuccess = true
        case .neutral: if [.open, .speaks].contains(calls[call]) { calls[call] = .saidNothing }
        case .failure:
            guard !isPast(call) else { return }
            // One that never spoke goes on with no row from before the last that did.
            let first = calls[call] == .speaks ? older : max(older, (spoken.filter { $0 < call }.max() ?? -1) + 1)
            calls[call] = .bad
            let ends: [CallState] = [.open, .speaks, .good]
            let before = calls[first..<call].reversed().prefix { !ends.contains($0) }.count { $0 == .bad }
            let after = calls[(call + 1)...].prefix { !ends.contains($0) }.count { $0 == .bad }
            if before + 1 + after >= 3 { degrade(at: now) }
        }
    }

    mutating func hung(_ call: Int, at now: Int64) {
        if phase == .ready, call >= older, !isPast(call) { degrade(at: now) }
    }

    mutating func probed(_ found: Found, at now: Int64) {
        if found == .silent { silences += 1 } else { silences = 0 }
        let isGone = silences >= 3
        switch (phase, found) {
        case (.dead, .silent): break
        case (.dead, _):
            enter(isDrained ? .draining : .starting, at: now)
            wasAlive = true
        case (.starting, .silent) where wasAlive && isGone, (.degraded, .silent) where isGone,
            (.draining, .silent) where isGone, (.ready, .silent) where isGone:
            enter(.dead, at: now)
        case (.ready, .hung): degrade(at: now)
        case (.ready, .silent), (.ready, .failed):
            misses += 1
            if misses == 3 { degrade(at: now) }
        case (.ready, .good): misses = 0
        case (.starting, .good), (.degraded, .good):
            wasAlive = true
            goods += 1
            guard goods >= 1 << relapses, !isVetoed else { break }
            sawSuccess = phase == .starting
            enter(.ready, at: now)
        case (.starting, .silent), (.degraded, .silent): goods = 0
        case (.starting, _), (.degraded, _):
            wasAlive = true
            goods = 0
        case (.draining, _): break
        }
    }

    mutating func veto(at now: Int64) {
        isVetoed = true
        if phase == .ready { degrade(at: now) }
    }

    mutating func lift() { isVetoed = false }

    mutating func drain(at now: Int64) {
        isDrained = true
        if phase != .dead, phase != .draining { enter(.draining, at: now) }
    }

    mutating func undrain(at now: Int64) {
        isDrained = false
        guard phase == .draining else { return }
        silences = 0
        enter(.starting, at: now)
        wasAlive = true
    }

    mutating func die(at now: Int64) { if phase != .dead { enter(.dead, at: now) } }

    mutating func restart(at now: Int64) {
        if isDrained {
            if phase != .draining { enter(.draining, at: now) }
        } else {
            silences = 0
            enter(.starting, at: now)
        }
    }

    private mutating func degrade(at now: Int64) {
        relapses = sawSuccess ? 0 : min(relapses + 1, 3)
        enter(.degraded, at: now)
    }

    private mutating func enter(_ next: HealthPhase, at now: Int64) {
        phase = next
        older = calls.count
        goods = 0
        misses = 0
        wasAlive = false
    }

    enum Found: CaseIterable {
        case good, failed, hung, silent

        var result: ProbeResult {
            switch self {
            case .good: .good
            case .failed: .failed(.serverError)
            case .hung: .failed(.timeout)
            case .silent: .silent
            }
        }
    }
}
