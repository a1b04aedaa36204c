import HTTPTypes
import Spillway

extension Backoff {
    private enum Kind { case none, constant, linear, exponential }

    /// Reads the field `backoff`.
    init(_ field: Field) throws {
        let fields = try field.fields("kind", "fromMs", "capMs", "jitter")
        let kind = try fields.required("kind").choice([
            "none": Kind.none, "constant": .constant, "linear": .linear, "exponential": .exponential,
        ])
        let jitter: Jitter =
            try fields["jitter"]?.choice([
                "none": Jitter.none, "full": .full, "equal": .equal, "decorrelated": .decorrelated,
            ]) ?? .full
        if kind == .none {
            self = .none
            return
        }
        guard let from = try fields.milliseconds("fromMs") else { throw field.fault("the field 'fromMs' is missing") }
        let cap = try fields.milliseconds("capMs") ?? max(from, .seconds(20))
        self = try field.blame { () throws(ConfigurationError) in
            switch kind {
            case .linear: try .linear(from: from, cap: cap, jitter: jitter)
            case .exponential: try .exponential(from: from, cap: cap, jitter: jitter)
            default: try .constant(from, jitter: jitter)
            }
        }
    }
}

extension RetryBudget.Configuration {
    /// Reads the field `budget`.
    init(_ field: Field) throws {
        let fields = try field.fields("ratio", "burst", "minimumPerSecond")
        self.init()
        ratio = try fields.number("ratio", in: 0...10) ?? ratio
        burst = try fields.count("burst", in: 0...100_000) ?? burst
        minimumPerSecond = try fields.number("minimumPerSecond", in: 0...10_000) ?? minimumPerSecond
    }
}

extension Configuration.TenantLimit {
    /// Reads the field `tenantLimit`.
    init(_ field: Field) throws {
        let fields = try field.fields("perMinute", "burst", "header")
        let rate = Rate.perMinute(try fields.required("perMinute").number(in: 0.001...1e9))
        let burst = UInt32(try fields.required("burst").count(in: 1...1_000_000_000))
        let own = KeyedTokenBucket.Configuration(rate: rate, burst: burst)
        // Made once to be checked, and again when the gateway starts.
        bucket = try field.blame { () throws(ConfigurationError) in
            _ = try KeyedTokenBucket("check", own)
            return own
        }
        let name = try fields.required("header")
        header = try name.text()
        guard HTTPField.Name(header) != nil else { throw name.refuse("the name of a header") }
    }
}

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

extension Configuration.Server {
    /// Reads the field `server`.
    init(_ field: Field) throws {
        let fields = try field.fields("host", "port", "maxBodyBytes", "drainSeconds")
        self.init()
        host = try fields["host"]?.text() ?? host
        port = try fields.count("port", in: 0...65_535) ?? port
        maxBodyBytes = try fields.count("maxBodyBytes", in: 1...1_073_741_824) ?? maxBodyBytes
        drain = try fields.seconds("drainSeconds", atLeast: 0) ?? drain
    }
}
