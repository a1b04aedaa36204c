import Spillway

extension FairQueue.Configuration {
    /// Reads the field `queue`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "capacity", "longestSeconds", "longest", "newestFirstAfterSeconds", "codel", "weights")
        var own = Self()
        own.capacity = try fields.count("capacity", in: 1...1_000_000) ?? own.capacity
        own.longest = try fields.seconds("longestSeconds") ?? own.longest
        for (name, longest) in try fields["longest"]?.fields().all ?? [] {
            guard let criticality = Criticality(name) else {
                throw longest.fault(
                    "one of \(Criticality.allCases.map(\.description).joined(separator: ", ")) is meant")
            }
            own.longestByCriticality[criticality] = .seconds(try longest.number(in: 0.001...86_400))
        }
        if let after = try fields.seconds("newestFirstAfterSeconds", atLeast: 0) {
            own.order = .adaptiveLIFO(after: after)
        }
        if let codel = try fields["codel"]?.fields("targetSeconds", "intervalSeconds") {
            own.discard = .codel(
                target: .seconds(try codel.required("targetSeconds").number(in: 0.001...86_400)),
                interval: .seconds(try codel.required("intervalSeconds").number(in: 0.001...86_400)))
        }
        for (tenant, weight) in try fields["weights"]?.fields().all ?? [] {
            own.weights[tenant] = try weight.number(in: 1e-6...1e6)
        }
        // Long prompts take more of an engine than short ones.
        own.resources = [.tokens(1)]
        let made = own
        self = try field.blame { () throws(ConfigurationError) in
            _ = try FairQueue("check", made)
            return made
        }
    }
}
