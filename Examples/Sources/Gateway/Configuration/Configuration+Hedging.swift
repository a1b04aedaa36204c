import Spillway

extension Configuration.Hedging {
    /// Reads the field `hedge`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "afterSeconds", "quantile", "shortest", "initialSeconds", "atLeastSeconds", "atMostSeconds", "upTo",
            "spareCapacity")
        delay = try Self.delay(fields, field)
        upTo = try fields.count("upTo", in: 1...3) ?? 1
        maxInFlight = try fields["spareCapacity"].map {
            try $0.fields("maxInFlight").required("maxInFlight").count(in: 1...1_000_000)
        }
        let made = self
        // Made once to be checked, and again when the gateway starts.
        try field.blame { () throws(ConfigurationError) in
            _ = try Hedge(after: made.delay, upTo: made.upTo, budget: try RetryBudget())
        }
    }

    private static func delay(_ fields: Fields, _ field: Field) throws -> Hedge.Delay {
        guard ["afterSeconds", "quantile", "shortest"].count(where: { fields[$0] != nil }) == 1 else {
            throw field.fault("needs one of afterSeconds, quantile and shortest")
        }
        if let after = try fields.seconds("afterSeconds", atLeast: 0) {
            for name in ["initialSeconds", "atLeastSeconds", "atMostSeconds"] {
                if let field = fields[name] { throw field.fault("is not for a fixed delay") }
            }
            return .fixed(after)
        }
        let initially = try fields.seconds("initialSeconds", atLeast: 0)
        let least = try fields.seconds("atLeastSeconds") ?? .milliseconds(1)
        let most = try fields.seconds("atMostSeconds") ?? .seconds(600)
        if let quantile = try fields.number("quantile", in: 0.5...0.9999) {
            return .quantile(quantile, initially: initially, atLeast: least, atMost: most)
        }
        let goal = try fields.required("shortest").fields("quantile", "share")
        return .shortest(
            try goal.required("quantile").number(in: 0.5...0.9999),
            hedging: try goal.required("share").number(in: 0.001...1), initially: initially, atLeast: least,
            atMost: most)
    }
}
