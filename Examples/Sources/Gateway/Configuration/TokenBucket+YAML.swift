import Spillway

extension TokenBucket.Configuration {
    /// Reads the field `rateLimit`.
    init(_ field: Field) throws {
        let fields = try field.fields("perSecond", "perMinute", "burst", "unit")
        let rates = [("perSecond", Duration.seconds(1)), ("perMinute", .seconds(60))].filter { fields[$0.0] != nil }
        guard rates.count == 1, let (name, span) = rates.first else {
            throw field.fault("needs one of perSecond and perMinute")
        }
        let units = try fields.required(name).number(in: 0.001...1e9)
        let burst = UInt32(try fields.required("burst").count(in: 1...1_000_000_000))
        let unit: Spillway.Unit =
            try fields["unit"]?.choice([
                "calls": .calls, "tokens": .tokens, "inputTokens": .inputTokens, "outputTokens": .outputTokens,
            ]) ?? .calls
        let own = Self(rate: Rate(units, per: span), burst: burst, unit: unit)
        self = try field.blame { () throws(ConfigurationError) in
            _ = try TokenBucket("check", own)
            return own
        }
    }
}
