import Spillway

extension Configuration.Ladder {
    /// Reads the field `tiers` of a model, and what else `fields` say of its ladder.
    init(
        _ list: Field, _ fields: Fields, upstreams: [String: Configuration.Upstream], calls: Configuration.Calls
    ) throws {
        let elements = try list.elements()
        var seen: Set<String> = []
        tiers = try elements.map { element in
            let tier = try Configuration.Tier(element, upstreams: upstreams, calls: calls)
            guard seen.insert(tier.name).inserted else { throw element.fault("the tier '\(tier.name)' is there twice") }
            return tier
        }
        hysteresis = try fields["hysteresis"].map { try Hysteresis($0) } ?? hysteresis
        whenUnacceptable =
            try fields["whenUnacceptable"]?.choice(["escalate": .escalate, "degrade": .degrade, "end": .end])
            ?? whenUnacceptable
        var keeps = false
        for (element, tier) in zip(elements, tiers) {
            for (cause, name) in tier.fallbacks where !seen.contains(name) {
                let field = try element.fields().required("fallbacks").fields().required("\(cause)")
                throw field.refuse("one of the tiers")
            }
            guard case .cache(let own) = tier.kind else { continue }
            let field = try element.fields().required("cache")
            if own == nil, !keeps { throw field.fault("'same' is for a cache below another one") }
            if own != nil, keeps { throw field.fault("there is one already; say 'cache: same' to ask it again") }
            keeps = true
        }
        let ladder = self
        // Made once to be checked, and again when the gateway starts.
        for (element, tier) in zip(elements, tiers) {
            try element.blame { () throws(ConfigurationError) in try ladder.check([tier], alone: true) }
        }
        try list.blame { () throws(ConfigurationError) in try ladder.check(tiers, alone: false) }
    }

    /// Makes a router of tiers whose models answer nothing; `alone`: without the ways from one tier to another.
    private func check(_ tiers: [Configuration.Tier], alone: Bool) throws(ConfigurationError) {
        var made: [Tier] = []
        for tier in tiers {
            var models: [Model] = []
            for model in tier.models {
                models.append(
                    try Model(
                        model.place.name,
                        .init(quality: model.quality, window: model.window, weight: model.weight)))
            }
            made.append(try tier.made(models: models, fallbacks: alone ? [:] : tier.fallbacks))
        }
        _ = try ModelRouter("check", budget: RetryBudget(), hysteresis: hysteresis, tiers: made)
    }
}

extension Configuration.Tier {
    private static let common = ["name", "needs"]

    /// Reads one tier.
    init(_ field: Field, upstreams: [String: Configuration.Upstream], calls: Configuration.Calls) throws {
        let all = try field.fields()
        let kinds = ["targets", "cache", "retrieval", "deferral"].filter { all[$0] != nil }
        guard kinds.count == 1, let own = all[kinds[0]] else {
            throw field.fault("needs one of targets, cache, retrieval and deferral")
        }
        let more =
            switch kinds[0] {
            case "targets": ["choice", "maxOutputTokens", "limits", "fallbacks", "spare"]
            case "retrieval": ["limits"]
            default: [] as [String]
            }
        let fields = try field.fields(in: Self.common + kinds + more)
        let label = try fields.required("name")
        name = try label.text()
        // A stroke is between upstream and model; commas and colons are between steps in the headers of answers.
        guard name.utf8.count <= 64, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !name.contains(/[\/:,]/) else {
            throw label.refuse("a name of at most 64 visible ASCII characters without '/', ':' and ','")
        }
        switch kinds[0] {
        case "targets":
            let choice = try fields["choice"].map { try Choice($0) } ?? .inOrder
            kind = .models(choice, try own.elements().map { try Configuration.RatedModel($0, upstreams) })
        case "cache": kind = .cache(own.node.string == "same" ? nil : try Configuration.Cache(own))
        case "retrieval":
            kind = .retrieval(try Configuration.Model.Place(own.fields("upstream", "model"), upstreams))
        default:
            guard try own.flag() else { throw own.refuse("true") }
            kind = .deferral
        }
        if let needs = try fields["needs"]?.fields("timeSeconds", "loadBelow") {
            time = try needs.seconds("timeSeconds", atLeast: 0) ?? time
            loadBelow = try needs.number("loadBelow", in: 0.001...1_000)
            if let load = needs["loadBelow"], calls.queue == nil {
                throw load.fault("needs a queue, whose length is the load")
            }
        }
        maxOutput = try fields.count("maxOutputTokens", in: 1...10_000_000)
        if let own = fields["limits"] {
            var limits = calls.limits
            try limits.read(own.fields("attemptSeconds", "firstContentSeconds", "stallSeconds"))
            let made = limits
            try own.blame { () throws(ConfigurationError) in _ = try made.timeout() }
            self.limits = made
        }
        for (name, way) in try fields["fallbacks"]?.fields().all ?? [] {
            guard let cause = Outcome.Cause(name), cause != .none else {
                throw way.fault("is no cause of a failure, such as context_too_long, rate_limited or overloaded")
            }
            fallbacks[cause] = try way.text()
        }
        isSpare = try fields["spare"]?.flag() ?? isSpare
    }

    /// The tier of a router.
    func made(
        models: [Model], gates: [any Gate] = [], fallbacks: [Outcome.Cause: String],
        load: (@Sendable (Instant) -> Double)? = nil
    ) throws(ConfigurationError) -> Tier {
        let needs =
            if let load, let loadBelow {
                Tier.Needs(time: time, saturationBelow: loadBelow, load: load)
            } else {
                Tier.Needs(time: time)
            }
        let timeout = try limits?.timeout()
        switch kind {
        case .models(let choice, _):
            return Tier(
                name, choice: choice, models: models, gates: gates, needs: needs, maxOutput: maxOutput,
                timeout: timeout, fallbacks: fallbacks, isSpare: isSpare)
        case .cache: return Tier(name, .cache, gates: gates, needs: needs)
        case .retrieval: return Tier(name, .retrieval, gates: gates, needs: needs, timeout: timeout)
        case .deferral: return Tier(name, .deferral, gates: gates, needs: needs)
        }
    }
}

extension Configuration.RatedModel {
    /// Reads one model of a tier.
    fileprivate init(_ field: Field, _ upstreams: [String: Configuration.Upstream]) throws {
        let fields = try field.fields("upstream", "model", "price", "quality", "window", "weight", "attempts")
        place = try Configuration.Model.Place(fields, upstreams)
        quality = try fields.number("quality", in: 0...1) ?? quality
        window = try fields.count("window", in: 1...1_000_000_000)
        weight = try fields.number("weight", in: 0.000_001...1_000) ?? weight
        attempts = try fields.count("attempts", in: 1...16)
    }
}

extension Configuration.Cache {
    /// Reads the field `cache`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("bytes", "seconds", "staleSeconds")
        bytes = try fields.count("bytes", in: 1_024...1 << 40) ?? bytes
        fresh = try fields.seconds("seconds") ?? fresh
        stale = try fields.seconds("staleSeconds", atLeast: 0) ?? stale
    }
}

extension Choice {
    /// Reads the field `choice`.
    fileprivate init(_ field: Field) throws {
        if field.node.mapping != nil {
            let goal = try field.fields("cheapest").required("cheapest").fields("withinSeconds")
            self = .cheapest(within: .seconds(try goal.required("withinSeconds").number(in: 0.001...86_400)))
        } else {
            self = try field.choice([
                "inOrder": .inOrder, "rotating": .rotating, "weighted": .weighted(), "leastLatency": .leastLatency,
                "leastLoad": .leastLoad, "byDifficulty": .byDifficulty, "cheapest": .cheapest(),
            ])
        }
    }

    /// Whether it goes by what calls cost.
    var isByPrice: Bool {
        switch self {
        case .cheapest, .byDifficulty: true
        default: false
        }
    }
}

extension Hysteresis {
    /// Reads the field `hysteresis`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields(
            "misses", "dwellSeconds", "maximumDwellSeconds", "probeEverySeconds", "successes", "sharesPurse")
        self.init()
        misses = try fields.count("misses", in: 1...10_000) ?? misses
        dwell = try fields.seconds("dwellSeconds", atLeast: 0) ?? dwell
        maximumDwell = try fields.seconds("maximumDwellSeconds") ?? max(dwell, maximumDwell)
        probeEvery = try fields.seconds("probeEverySeconds") ?? probeEvery
        successes = try fields.count("successes", in: 1...10_000) ?? successes
        sharesPurse = try fields["sharesPurse"]?.flag() ?? sharesPurse
        let made = self
        try field.blame { () throws(ConfigurationError) in
            _ = try ModelRouter("check", budget: RetryBudget(), hysteresis: made, tiers: [Tier("check", .cache)])
        }
    }
}

extension Configuration {
    /// How many gates an attempt there passes, the model itself among them.
    private func gates(of place: Model.Place, in model: Model) -> Int {
        guard let own = upstreams.first(where: { $0.name == place.upstream }) else { return 0 }
        let continues = if case .continue = model.calls.recovery { own.prefill == nil } else { false }
        let has = [
            own.breaker != nil, own.rateLimit != nil, own.cooldown != nil, own.concurrency != nil, own.quota != nil,
            continues, spending?.prices != nil, model.calls.shed != nil,
        ]
        return 1 + has.count { $0 }
    }

    /// What only shows when all is read: ladders that need more than their models say.
    func checkLadders(_ fields: Fields) throws {
        var rated: [String: (rating: RatedModel, model: String)] = [:]
        for model in models {
            guard let ladder = model.ladder else { continue }
            let elements = try fields.required(model.name).fields().required("tiers").elements()
            for (element, tier) in zip(elements, ladder.tiers) {
                let own = try element.fields()
                switch tier.kind {
                case .deferral where jobs == nil:
                    throw own["deferral"]!.fault("needs 'jobs', which says where they are kept and when they are done")
                case .models(let choice, _) where choice.isByPrice && spending?.prices == nil:
                    throw own["choice"]!.fault("goes by prices, and needs the field 'prices' of the file")
                default: break
                }
                let most = tier.models.map { gates(of: $0.place, in: model) }.max() ?? 0
                guard most <= 8 else {
                    throw element.fault("an attempt would pass \(most) gates, the model among them; at most 8 can")
                }
                for (target, model) in zip(try own["targets"]?.elements() ?? [], tier.models) {
                    // All routes learn from each other how it does, so that it is one model to them.
                    if let other = rated.updateValue((model, tier.name), forKey: model.place.name),
                        other.rating != model
                    {
                        throw target.fault(
                            "\(model.place.name) has another price, quality, window or weight in the tier "
                                + "'\(other.model)'")
                    }
                }
            }
        }
    }
}
