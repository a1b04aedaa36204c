internal import Admission
internal import Hedging
internal import ModelRouting
internal import Retrying
internal import SpillwayCore

/// The parts of a policy, checked and put in their places.
struct PolicyPlan: Sendable {
    private(set) var deadline: Deadline?
    private(set) var retry: Retry?
    private(set) var hedge: Hedge?
    private(set) var timeout: AttemptTimeout?
    private(set) var slow: SlowAnswer?
    private(set) var gates: [any Gate] = []
    private(set) var targets: [Target] = []
    private(set) var order = Targets.Order.ladder
    private(set) var router: ModelRouter?
    private(set) var queue: FairQueue?
    /// How many of the gates stand before the queue: they refuse at once.
    private(set) var gatesBeforeQueue = 0

    /// The most gates that one attempt can pass.
    static let mostGates = PermitStack.capacity
    /// The most targets, because the ones that failed are kept as bits of a word.
    static let mostTargets = 64

    /// Checks the order: whatever multiplies attempts must be outside of what every attempt passes.
    init(_ parts: [PolicyBuilder.Part]) throws(ConfigurationError) {
        for part in parts {
            switch part.kind {
            case .deadline(let deadline):
                try require(self.deadline == nil, "two deadlines", "one deadline, outermost")
                try require(
                    retry == nil && hedge == nil && queue == nil && timeout == nil && gates.isEmpty && hasNoTargets,
                    "Deadline inside another part",
                    "Deadline outermost: it bounds the whole call, with all attempts and waits")
                self.deadline = deadline
            case .retry(let retry):
                try require(
                    self.retry == nil, "Retry inside Retry",
                    "one Retry: two would multiply their attempts")
                try require(
                    hedge == nil, "Retry inside Hedge",
                    "Retry outside of Hedge: a hedge stands beside one attempt, and a retry follows when all have failed"
                )
                try requireNothingOfOneAttempt("Retry")
                self.retry = retry
            case .hedge(let hedge):
                try require(self.hedge == nil, "two Hedges", "one Hedge, with `upTo` for more attempts")
                try requireNothingOfOneAttempt("Hedge")
                try require(
                    hedge.losers == .awaited, "losers", ".reaped in a policy",
                    ".awaited: a policy leaves no attempt running when it returns; Hedge.run alone may")
                self.hedge = hedge
            case .queue(let queue):
                try require(self.queue == nil, "two FairQueues", "one FairQueue")
                try require(
                    hasNoTargets, "FairQueue inside Targets", "FairQueue outside of the Targets that calls wait for")
                self.queue = queue
                gatesBeforeQueue = gates.count
            case .timeout(let timeout):
                try require(self.timeout == nil, "two AttemptTimeouts", "one AttemptTimeout")
                self.timeout = timeout
            case .slow(let slow):
                try require(self.slow == nil, "two SlowAnswers", "one SlowAnswer")
                self.slow = slow
            case .gates(let gates):
                try require(
                    hasNoTargets, "Gates inside Targets",
                    "Gates before Targets or a ModelRouter; the gates of one target go into that Target, Tier or Model")
                self.gates += gates.gates
            case .targets(let targets):
                try require(hasNoTargets, "two Targets", "one Targets or one ModelRouter")
                try require(!targets.targets.isEmpty, "targets", "empty", "at least one target")
                self.targets = targets.targets
                order = targets.order
            case .router(let router):
                try require(hasNoTargets, "two Targets", "one Targets or one ModelRouter")
                self.router = router
            }
        }
        if let retry, let hedge {
            try require(
                retry.budget === hedge.budget, "budget", "one of the Retry's and another of the Hedge's",
                "the same for both: together they must not ask for more than it allows")
        }
        if let router {
            try require(
                (retry.map { $0.budget === router.budget } ?? true)
                    && (hedge.map { $0.budget === router.budget } ?? true),
                "budget", "one of the ModelRouter's and another of the Retry's or Hedge's",
                "the same for all: together they must not ask for more than it allows")
        }
        try require(
            queue == nil || gates.count > gatesBeforeQueue || !hasNoTargets, "FairQueue without Gates or Targets",
            "something inside of the FairQueue to wait for")
        try checkTimes()
        try checkTargets()
        try checkGates()
    }

    /// What bounds extra attempts, and what pays for them; nil: there are none.
    var budget: (any AttemptBudget)? { retry?.budget ?? hedge?.budget ?? router?.budget }

    private var hasNoTargets: Bool { targets.isEmpty && router == nil }

    /// Whether one call can make several attempts.
    var multiplies: Bool { hedge != nil || router != nil || retry.map { $0.limit > 0 } ?? false }

    /// Whether attempts must be cancelled by themselves, so that each needs a task of its own.
    var cancelsAttempts: Bool {
        hedge != nil || timeout != nil || router?.hasTimeouts == true || deadline.map { !$0.isCooperative } ?? false
    }

    private func requireNothingOfOneAttempt(_ part: String) throws(ConfigurationError) {
        try require(
            gates.isEmpty && hasNoTargets, "\(part) inside Gates or Targets",
            "\(part) outside of Gates and Targets: else attempts pass without being asked or counted")
        try require(
            queue == nil, "\(part) inside FairQueue", "\(part) outside of FairQueue, in which each attempt waits")
        try require(
            timeout == nil, "\(part) inside AttemptTimeout",
            "\(part) outside of AttemptTimeout, which bounds one attempt; Deadline bounds all of them")
    }

    /// Refuses a hedge that can never start.
    ///
    /// One that waits for as long as an attempt may take can: the attempt's time stands still while it waits for its caller.
    /// An attempt that may take longer than the deadline is no fault either: that of a caller further out may be shorter
    /// than any limit in here, so that limits of attempts never depend on it.
    private func checkTimes() throws(ConfigurationError) {
        guard let deadline, let delay = hedge?.fixedDelay else { return }
        try Validation("Hedge").require(
            delay < deadline.duration, "delay", delay,
            "shorter than the policy's deadline, \(deadline.duration): else the hedge never starts")
    }

    private func checkTargets() throws(ConfigurationError) {
        var names: Set<String> = []
        for target in targets {
            try require(
                names.insert(target.name).inserted, "targets", "two of the name '\(target.name)'",
                "targets of different names")
        }
        try require(
            targets.count <= Self.mostTargets, "targets", "\(targets.count) targets", "at most \(Self.mostTargets)")
    }

    private func checkGates() throws(ConfigurationError) {
        let places = router?.places.map(\.gates.gates) ?? targets.map(\.gates)
        for own in places.isEmpty ? [[]] : places {
            let all = gates + own
            try require(
                all.count <= Self.mostGates, "gates", "\(all.count) on one attempt", "at most \(Self.mostGates)")
            var seen: Set<ObjectIdentifier> = []
            for gate in all {
                try require(
                    seen.insert(ObjectIdentifier(gate)).inserted, "gates", "'\(gate.name)' twice",
                    "each gate once: it would charge an attempt twice")
                try require(
                    budget.map { $0 !== gate } ?? true, "gates", "the policy's own budget '\(gate.name)'",
                    "others: Retry or Hedge has the budget, which would charge an attempt twice")
            }
        }
    }

    private func require(_ holds: Bool, _ found: String, _ expected: String) throws(ConfigurationError) {
        try require(holds, "order", found, expected)
    }

    private func require(
        _ holds: Bool, _ field: String, _ found: String, _ expected: String
    ) throws(ConfigurationError) {
        try Validation("Policy").require(holds, field, found, expected)
    }
}
