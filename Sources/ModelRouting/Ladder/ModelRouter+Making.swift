internal import SpillwayCore

extension ModelRouter {
    /// Every place to send an attempt to, tier by tier.
    static func places(_ tiers: [Tier]) throws(ConfigurationError) -> [Place] {
        let check = Validation("ModelRouter")
        var places: [Place] = []
        for (index, tier) in tiers.enumerated() {
            if tier.models.isEmpty {
                places.append(Place(name: tier.name, tier: index, gates: GateRow(tier.gates), model: nil))
            }
            for model in tier.models {
                let gates = tier.gates + model.gates + [model]
                try check.require(
                    gates.count <= PermitStack.capacity, "gates", "\(gates.count) at '\(model.name)'",
                    "at most \(PermitStack.capacity), with the model itself")
                var seen: Set<ObjectIdentifier> = []
                for gate in gates {
                    try check.require(
                        seen.insert(ObjectIdentifier(gate)).inserted, "gates",
                        "'\(gate.name)' twice at '\(model.name)'",
                        "each gate once: it would charge an attempt twice")
                }
                places.append(Place(name: model.name, tier: index, gates: GateRow(gates), model: model))
            }
        }
        try check.require(
            places.count <= mostPlaces, "tiers", "\(places.count) models and tiers without models",
            "at most \(mostPlaces)")
        for (index, place) in places.enumerated() {
            try check.require(
                !places[..<index].contains { $0.name == place.name && $0.tier == place.tier }, "tiers",
                "'\(place.name)' twice in '\(tiers[place.tier].name)'", "models of different names in a tier")
        }
        return places
    }

    /// Where each tier's fallbacks lead.
    ///
    /// - Throws: For a name that no tier bears, and for a circle: one bad request would walk it for ever.
    static func fallbacks(_ tiers: [Tier]) throws(ConfigurationError) -> [[Outcome.Cause: Int]] {
        let check = Validation("ModelRouter")
        var numbers: [String: Int] = [:]
        for (index, tier) in tiers.enumerated() {
            try check.require(
                numbers.updateValue(index, forKey: tier.name) == nil, "tiers", "'\(tier.name)' twice",
                "tiers of different names")
        }
        var fallbacks: [[Outcome.Cause: Int]] = []
        for tier in tiers {
            var own: [Outcome.Cause: Int] = [:]
            for (cause, name) in tier.fallbacks {
                guard let target = numbers[name] else {
                    throw ConfigurationError(
                        policy: "ModelRouter", field: "fallbacks", value: "\(tier.name) → \(name)",
                        expected: "to one of the tiers: \(tiers.map(\.name).joined(separator: ", "))")
                }
                own[cause] = target
            }
            fallbacks.append(own)
        }
        if let circle = circle(tiers, fallbacks) {
            throw ConfigurationError(
                policy: "ModelRouter", field: "fallbacks",
                value: circle.map { tiers[$0].name }.joined(separator: " → "),
                expected: "no circle: where no fallback is named, a call goes on at the next tier")
        }
        return fallbacks
    }

    /// The tier after `tier` where no fallback says otherwise.
    static func next(after tier: Int, _ tiers: [Tier]) -> Int? {
        tiers.indices.first { $0 > tier && !tiers[$0].isSpare }
    }

    /// Tiers that lead back to the first of them; nil when there are none.
    private static func circle(_ tiers: [Tier], _ fallbacks: [[Outcome.Cause: Int]]) -> [Int]? {
        var done: Set<Int> = []
        func walk(_ tier: Int, _ path: [Int]) -> [Int]? {
            if let start = path.firstIndex(of: tier) { return path[start...] + [tier] }
            guard !done.contains(tier) else { return nil }
            var ways = Set(fallbacks[tier].values)
            if let next = next(after: tier, tiers) { ways.insert(next) }
            for way in ways.sorted() {
                if let found = walk(way, path + [tier]) { return found }
            }
            done.insert(tier)
            return nil
        }
        for tier in tiers.indices {
            if let found = walk(tier, []) { return found }
        }
        return nil
    }
}
