import CostLedger
import Spillway

/// The models of all ladders: one for each model of an upstream, so that every route learns what any of them sees.
struct ModelShelf {
    private let upstreams: [String: Upstream]
    private let ledger: Ledger?
    /// Upstreams that cannot go on with an answer that was begun elsewhere, where some ladder wants that.
    private let beginners: Set<String>
    private var models: [String: (model: Model, place: Route.Place)] = [:]

    /// No models yet.
    init(_ configuration: Configuration, upstreams: [String: Upstream], ledger: Ledger?) {
        self.upstreams = upstreams
        self.ledger = ledger
        let continues = configuration.models.contains { model in
            if case .continue = model.calls.recovery, model.ladder != nil { true } else { false }
        }
        beginners = continues ? Set(configuration.upstreams.filter { $0.prefill == nil }.map(\.name)) : []
    }

    /// A model, and the place where it is asked.
    mutating func model(_ rated: Configuration.RatedModel) throws -> (model: Model, place: Route.Place) {
        let name = rated.place.name
        if let known = models[name] { return known }
        let upstream = upstreams[rated.place.upstream]!
        let place = try Route.Place(rated.place, at: upstream, ledger: ledger)
        let begins: [any Gate] =
            beginners.contains(upstream.name) ? [PrefillGate("\(upstream.name).prefill", restarts: true)] : []
        var configuration = Model.Configuration(
            quality: rated.quality, window: rated.window, cost: Self.cost(place), weight: rated.weight)
        // Of a fleet another replica may well have the answer.
        configuration.attempts = rated.attempts ?? (upstream.fleet == nil ? 1 : 2)
        let model = try Model(
            name, at: upstream.name, configuration,
            gates: begins + upstream.gates + [place.account].compactMap(\.self))
        models[name] = (model, place)
        return (model, place)
    }

    /// The place of a tier that finds passages, which cost nothing.
    func passages(_ place: Configuration.Model.Place) throws -> Route.Place {
        try Route.Place(
            .init(upstream: place.upstream, model: place.model, priced: ""), at: upstreams[place.upstream]!, ledger: nil
        )
    }

    /// What calls cost there, as the book of prices has it.
    private static func cost(_ place: Route.Place) -> Model.Cost {
        guard let account = place.account else { return .free }
        let isWildcard = place.isWildcard
        return .estimated { call, now in
            let payer = isWildcard ? (call.payer as? Bill)?.account : account
            return (try? payer?.estimate(call, at: now))?.nanodollars
        }
    }
}
