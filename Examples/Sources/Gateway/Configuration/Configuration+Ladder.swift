import Spillway

extension Configuration {
    /// What is acceptable when the best answer is not to be had.
    struct Ladder: Sendable {
        /// The best first.
        let tiers: [Tier]
        var hysteresis = Hysteresis()
        var whenUnacceptable = ModelRouter.WhenUnacceptable.escalate

        /// All models of its tiers, each once.
        var places: [Model.Place] {
            var seen: Set<String> = []
            return tiers.flatMap(\.models).map(\.place).filter { seen.insert($0.name).inserted }
        }

        /// Whether a call may be put off.
        var defers: Bool {
            tiers.contains { if case .deferral = $0.kind { true } else { false } }
        }
    }

    /// One rung of a ladder.
    struct Tier: Sendable {
        /// Where its answers come from.
        enum Kind: Sendable {
            case models(Choice, [RatedModel])
            /// Nil: those that a tier above it keeps.
            case cache(Cache?)
            /// An upstream that finds passages.
            case retrieval(Model.Place)
            case deferral
        }

        let name: String
        let kind: Kind
        /// How much time must be left.
        var time = Duration.zero
        /// Up to what load of the route's queue it is asked; nil: any.
        var loadBelow: Double?
        /// The most tokens of an answer; nil: as many as the request says.
        var maxOutput: Int?
        /// Nil: as for all attempts.
        var limits: Limits?
        var fallbacks: [Outcome.Cause: String] = [:]
        var isSpare = false

        /// Empty for a tier of another kind.
        var models: [RatedModel] {
            if case .models(_, let models) = kind { models } else { [] }
        }
    }

    /// A model of an upstream, and what it is good for.
    struct RatedModel: Sendable, Hashable {
        let place: Model.Place
        var quality = 0.5
        /// Tokens of prompt and answer together; nil: nobody knows.
        var window: Int?
        var weight = 1.0
        /// Attempts in a row before the next place is asked; nil: 2 of a fleet, 1 of any other.
        var attempts: Int?
    }

    /// Answers that are kept.
    struct Cache: Sendable {
        /// The most bytes of all of them.
        var bytes = 64 << 20
        /// For how long one is as good as new.
        var fresh: Duration = .seconds(3_600)
        /// For how much longer it is given when no model above the tier has answered.
        var stale: Duration = .zero
    }
}
