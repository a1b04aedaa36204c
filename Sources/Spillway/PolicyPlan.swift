internal import Retrying
internal import SpillwayCore

/// The parts of a policy, checked and put in their places.
struct PolicyPlan: Sendable {
    private(set) var deadline: Duration?
    private(set) var retry: Retry?
    private(set) var gates: [any Gate] = []
    private(set) var targets: [Target] = []
    private(set) var order = Targets.Order.ladder

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
                    retry == nil && gates.isEmpty && targets.isEmpty, "Deadline inside another part",
                    "Deadline outermost: it bounds the whole call, with all attempts and waits")
                self.deadline = deadline.duration
            case .retry(let retry):
                try require(
                    self.retry == nil, "Retry inside Retry",
                    "one Retry: two would multiply their attempts")
                try require(
                    gates.isEmpty && targets.isEmpty, "Retry inside Gates or Targets",
                    "Retry outside of Gates and Targets: else retries pass without being asked or counted")
                self.retry = retry
            case .gates(let gates):
                try require(
                    targets.isEmpty, "Gates inside Targets",
                    "Gates before Targets; the gates of one target go into that Target")
                self.gates += gates.gates
            case .targets(let targets):
                try require(self.targets.isEmpty, "two Targets", "one Targets")
                try require(!targets.targets.isEmpty, "Targets without a target", "at least one target")
                self.targets = targets.targets
                order = targets.order
            }
        }
        try checkGates()
    }

    private func checkGates() throws(ConfigurationError) {
        var names: Set<String> = []
        for target in targets {
            try require(names.insert(target.name).inserted, "two targets called '\(target.name)'", "different names")
        }
        try require(
            targets.count <= Self.mostTargets, "\(targets.count) targets", "at most \(Self.mostTargets) targets")
        for own in targets.isEmpty ? [[]] : targets.map(\.gates) {
            let all = gates + own
            try require(
                all.count <= Self.mostGates, "\(all.count) gates on one attempt", "at most \(Self.mostGates)")
            var seen: Set<ObjectIdentifier> = []
            for gate in all {
                try require(
                    seen.insert(ObjectIdentifier(gate)).inserted, "the gate '\(gate.name)' twice",
                    "each gate once: it would charge an attempt twice")
                try require(
                    retry.map { $0.budget !== gate } ?? true, "the budget '\(gate.name)' as a gate of its own Retry",
                    "the budget in Retry alone: it would charge a retry twice")
            }
        }
    }

    private func require(_ holds: Bool, _ found: String, _ expected: String) throws(ConfigurationError) {
        guard holds else {
            throw ConfigurationError(policy: "Policy", field: "order", value: found, expected: expected)
        }
    }
}
