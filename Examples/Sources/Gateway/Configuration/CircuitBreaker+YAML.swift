import Spillway

extension CircuitBreaker.Configuration {
    /// Reads the field `breaker`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "window", "failureRatio", "minimumCalls", "openSeconds", "openGrowth", "maximumOpenSeconds", "openJitter",
            "probes", "probeSuccessRatio", "probeLeaseSeconds", "rampSeconds", "rampFrom", "mode", "slowSeconds",
            "stuck")
        self.init()
        if let own = fields["window"] { window = try CircuitBreaker.Window(own) }
        failureRatio = try fields.number("failureRatio", in: 0...1) ?? failureRatio
        minimumCalls = try fields.count("minimumCalls", in: 1...1_000_000) ?? minimumCalls
        slow = try fields.seconds("slowSeconds").map { .longerThan($0) } ?? slow
        stuck = try fields["stuck"].map { try CircuitBreaker.Stuck($0) }
        openDuration = try fields.seconds("openSeconds") ?? openDuration
        openGrowth = try fields.number("openGrowth", in: 1...100) ?? openGrowth
        maximumOpenDuration = try fields.seconds("maximumOpenSeconds") ?? max(openDuration, maximumOpenDuration)
        openJitter = try fields.number("openJitter", in: 0...1) ?? openJitter
        probes = try fields.count("probes", in: 1...10_000) ?? probes
        probeSuccessRatio = try fields.number("probeSuccessRatio", in: 0...1) ?? probeSuccessRatio
        probeLease = try fields.seconds("probeLeaseSeconds") ?? probeLease
        ramp = try fields.seconds("rampSeconds", atLeast: 0) ?? ramp
        rampFrom = try fields.number("rampFrom", in: 0...1) ?? rampFrom
        mode = try fields["mode"]?.choice(["enforcing": .enforcing, "shadow": .shadow]) ?? mode
        let made = self
        try field.blame { () throws(ConfigurationError) in try made.validate() }
    }
}

extension CircuitBreaker.Stuck {
    /// Reads the field `stuck`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("olderThanSeconds", "calls", "share")
        guard let age = try fields.seconds("olderThanSeconds") else {
            throw field.fault("the field 'olderThanSeconds' is missing")
        }
        self.init(olderThan: age)
        calls = try fields.count("calls", in: 1...1_000_000) ?? calls
        share = try fields.number("share", in: 0...1) ?? share
    }
}

extension CircuitBreaker.Window {
    /// Reads the field `window`: one of `calls`, `consecutive` and `seconds`.
    fileprivate init(_ field: Field) throws {
        let fields = try field.fields("calls", "consecutive", "seconds")
        guard fields.names.count == 1 else { throw field.fault("needs one of calls, consecutive and seconds") }
        if let count = try fields.count("calls", in: 1...1_000_000) {
            self = .calls(count)
        } else if let count = try fields.count("consecutive", in: 1...1_000_000) {
            self = .consecutive(count)
        } else {
            self = .time(try fields.seconds("seconds") ?? .seconds(10))
        }
    }
}
