internal import CSpillway
internal import SpillwayCore

/// What a rollout has seen and decided; everything but the word that calls read, and behind a lock.
struct RolloutBooks {
    /// The decisions that are kept.
    static let mostDecisions = 64
    private static let metrics = Rollout.Metric.allCases.count

    private(set) var configuration: Rollout.Configuration
    private(set) var state = Rollout.State.running
    private(set) var decisions: [Rollout.Decision] = []
    /// Told when the lock is gone.
    private(set) var pending: [(decision: Rollout.Decision, from: Rollout.State, to: Rollout.State)] = []
    var isDelivering = false
    /// The share in force while it runs: of the configuration, or of a step of its ramp.
    private(set) var share: Double
    private var step = 0
    /// Counted calls of the canary since the step began.
    private var callsOfStep = 0
    private var hasWarned = false
    /// The e-value that rolls back.
    private var threshold: Double
    private let comparisons: UnsafeMutablePointer<ArmComparison?>
    private let values: UnsafeMutablePointer<Double>
    private let arms: UnsafeMutablePointer<Bool>

    init(_ configuration: Rollout.Configuration) {
        let metrics = Self.metrics
        self.configuration = configuration
        share = configuration.share
        threshold = configuration.threshold
        comparisons = .allocate(capacity: metrics)
        comparisons.initialize(repeating: nil, count: metrics)
        values = .allocate(capacity: metrics * ArmComparison.most)
        values.initialize(repeating: 0, count: metrics * ArmComparison.most)
        arms = .allocate(capacity: metrics * ArmComparison.most)
        arms.initialize(repeating: false, count: metrics * ArmComparison.most)
        beginComparisons()
    }

    func deallocate() {
        comparisons.deallocate()
        values.deallocate()
        arms.deallocate()
    }

    private func beginComparisons() {
        for metric in Rollout.Metric.allCases {
            let place = metric.rawValue * ArmComparison.most
            comparisons[metric.rawValue] = configuration.tolerance(metric).map {
                ArmComparison(metric, tolerance: $0, share: share, values + place, arms + place)
            }
        }
    }

    private func continueComparisons() {
        for metric in Rollout.Metric.allCases {
            comparisons[metric.rawValue] = comparisons[metric.rawValue]?.continued(share: share)
        }
    }

    /// The share of all calls that get the canary, in steps of 2⁻³².
    var word: UInt64 {
        switch state {
        case .running: UInt64((share * 0x1p32).rounded())
        case .rolledBack: 0
        case .promoted: 1 << 32
        }
    }

    var lists: Bool { state == .running && !configuration.always.isEmpty }

    /// Takes a call in; true when calls must be told something else from now on.
    mutating func record(_ isCanary: Bool, _ sample: Rollout.Sample, at now: Instant) -> Bool {
        guard state == .running, share > 0, share < 1 else { return false }
        // A list of all metrics would be memory for each call.
        for index in 0..<Self.metrics {
            guard comparisons[index] != nil, let metric = Rollout.Metric(rawValue: index),
                let value = sample.value(metric)
            else { continue }
            guard comparisons[index]!.add(value, canary: isCanary),
                comparisons[index]!.value >= threshold
            else { continue }
            if rollBack(evidence(metric, at: now), at: now) { return true }
        }
        guard isCanary, step < configuration.ramp.count else { return false }
        callsOfStep += 1
        guard callsOfStep >= configuration.ramp[step].calls else { return false }
        takeStep(at: now)
        return true
    }

    private mutating func takeStep(at now: Instant) {
        share = configuration.ramp[step].share
        step += 1
        callsOfStep = 0
        continueComparisons()
        note(.step, nil, from: .running, at: now)
    }

    /// Rolls back, or says once that it would.
    private mutating func rollBack(_ evidence: Rollout.Evidence?, at now: Instant) -> Bool {
        if configuration.shadow {
            if !hasWarned { note(.wouldRollBack, evidence, from: state, at: now) }
            hasWarned = true
            return false
        }
        move(to: .rolledBack(evidence), .rollBack, evidence, at: now)
        return true
    }

    /// Does by hand what `kind` says.
    mutating func decide(_ kind: Rollout.Decision.Kind, at now: Instant) {
        switch kind {
        case .rollBack: move(to: .rolledBack(nil), kind, nil, at: now)
        case .promote: move(to: .promoted, kind, nil, at: now)
        case .reset:
            start()
            move(to: .running, kind, nil, at: now)
        case .step, .wouldRollBack: break
        }
    }

    private mutating func start() {
        share = configuration.share
        (step, callsOfStep, hasWarned) = (0, 0, false)
        beginComparisons()
    }

    private mutating func move(
        to next: Rollout.State, _ kind: Rollout.Decision.Kind, _ evidence: Rollout.Evidence?, at now: Instant
    ) {
        let before = state
        state = next
        note(kind, evidence, from: before, at: now)
    }

    private mutating func note(
        _ kind: Rollout.Decision.Kind, _ evidence: Rollout.Evidence?, from before: Rollout.State, at now: Instant
    ) {
        let inForce: Double =
            switch state {
            case .running: share
            case .rolledBack: 0
            case .promoted: 1
            }
        let decision = Rollout.Decision(kind: kind, evidence: evidence, share: inForce, at: now)
        if decisions.count == Self.mostDecisions { decisions.removeFirst() }
        decisions.append(decision)
        pending.append((decision, before, state))
    }

    mutating func takePending() -> (decision: Rollout.Decision, from: Rollout.State, to: Rollout.State)? {
        pending.isEmpty ? nil : pending.removeFirst()
    }

    /// Another share keeps the evidence; other tolerances, or another chance of a false alarm, are another question.
    mutating func update(_ next: Rollout.Configuration) {
        let old = configuration
        configuration = next
        threshold = next.threshold
        let asksTheSame =
            next.falseAlarm == old.falseAlarm
            && Rollout.Metric.allCases.allSatisfy { next.tolerance($0) == old.tolerance($0) }
        if next.shadow != old.shadow || !asksTheSame { hasWarned = false }
        if next.share != old.share || next.ramp != old.ramp {
            share = next.share
            (step, callsOfStep) = (0, 0)
        }
        if asksTheSame { continueComparisons() } else { beginComparisons() }
    }

    func evidence(_ metric: Rollout.Metric, at now: Instant) -> Rollout.Evidence? {
        guard let comparison = comparisons[metric.rawValue] else { return nil }
        return Rollout.Evidence(
            metric: metric, baseline: comparison.baseline, canary: comparison.canary, rounds: comparison.rounds,
            excess: comparison.meanExcess, eValue: comparison.value, threshold: configuration.threshold, share: share,
            at: now)
    }
}
