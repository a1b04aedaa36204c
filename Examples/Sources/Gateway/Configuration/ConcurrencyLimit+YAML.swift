import Spillway

extension ConcurrencyLimit.Configuration {
    /// Reads the field `concurrency`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "limit", "rule", "from", "to", "initially", "firstContentSeconds", "tokensPerSecond")
        let most = 1...65_000
        let own: Self
        if let limit = try fields.count("limit", in: most) {
            for name in fields.names where name != "limit" { throw fields[name]!.fault("is not for a fixed limit") }
            own = Self(.fixed(limit))
        } else {
            let from = try fields.count("from", in: most) ?? 1
            let to = try fields.count("to", in: most) ?? max(from, 1_000)
            guard from <= to else { throw field.fault("to is less than from") }
            let first = try fields.seconds("firstContentSeconds"),
                rate = try fields.number("tokensPerSecond", in: 0.01...1e6)
            let rule: ConcurrencyLimit.Rule
            switch try fields["rule"]?.text() ?? "model" {
            case "model":
                rule = .model(firstContent: first ?? .seconds(2), tokensPerSecond: rate ?? 10)
            case "gradient": rule = .gradient()
            case "aimd": rule = .aimd()
            case "vegas": rule = .vegas()
            default: throw try fields.required("rule").refuse("one of model, gradient, aimd, vegas")
            }
            own = Self(.adaptive(rule), in: from...to, initially: try fields.count("initially", in: most))
        }
        self = try field.blame { () throws(ConfigurationError) in
            try own.validate()
            return own
        }
    }
}
