import Spillway

/// The tiers of a route, and what their answers come from.
struct Ladder: Sendable {
    let router: ModelRouter
    /// As the router has them.
    let tiers: [Configuration.Tier]
    /// Its answers that are given again; nil: none are.
    let kept: KeptAnswers?
    /// Whether a call may be put off.
    let defers: Bool
    /// Whether some tier goes by how difficult a call is.
    var heedsDifficulty: Bool {
        tiers.contains { if case .models(.byDifficulty, _) = $0.kind { true } else { false } }
    }

    /// A ladder, and its places by the names of the router's targets.
    ///
    /// - Parameters:
    ///   - load: How full the line of the route is; nil: it has none.
    ///   - observer: Told when the ladder leaves a tier for all calls or comes back.
    static func made(
        _ model: Configuration.Model, _ own: Configuration.Ladder, shelf: inout ModelShelf, budget: RetryBudget,
        load: (@Sendable (Instant) -> Double)?, observer: any Observer
    ) throws -> (ladder: Ladder, places: [String: Route.Place]) {
        var places: [String: Route.Place] = [:]
        var tiers: [Tier] = []
        for tier in own.tiers {
            var models: [Model] = []
            for rated in tier.models {
                let (model, place) = try shelf.model(rated)
                models.append(model)
                places[model.name] = place
            }
            // The rest of an answer that a model began is no other tier's to give.
            var gates: [any Gate] = tier.models.isEmpty ? [PrefillGate("\(model.name).\(tier.name).begun")] : []
            if case .retrieval(let place) = tier.kind {
                let place = try shelf.passages(place)
                places[tier.name] = place
                gates += place.upstream.gates
            }
            tiers.append(try tier.made(models: models, gates: gates, fallbacks: tier.fallbacks, load: load))
        }
        let router = try ModelRouter(
            model.name, budget: budget, hysteresis: own.hysteresis, whenUnacceptable: own.whenUnacceptable,
            observer: observer, tiers: tiers)
        let best = own.tiers.firstIndex { !$0.models.isEmpty && !$0.isSpare }
        let caches = own.tiers.compactMap { tier -> Configuration.Cache? in
            if case .cache(let cache) = tier.kind { cache } else { nil }
        }
        let kept = try caches.first.map { try KeptAnswers($0, from: best ?? 0) }
        return (Ladder(router: router, tiers: own.tiers, kept: kept, defers: own.defers), places)
    }

    /// The most tokens of an answer of an attempt; nil: as many as the request says.
    func maxOutput(_ mode: ServiceMode?) -> Int? { mode.flatMap { tiers[$0.level].maxOutput } }
}
