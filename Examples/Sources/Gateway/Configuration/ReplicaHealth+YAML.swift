import Spillway

extension ReplicaHealth.Configuration {
    /// What the fields are called that the library knows by other names.
    private static let names = [
        "firstToken": ["firstTokenSeconds"], "dangerLine": ["dangerLine"], "safeLine": ["safeLine", "dangerLine"],
        "verifyInterval": ["verifySeconds"], "probeInterval": ["probeSeconds", "verifySeconds"],
        "maximumInterval": ["maximumSeconds", "probeSeconds"], "startLimit": ["startSeconds"],
        "ramp": ["rampSeconds"], "rampFrom": ["rampFrom"],
    ]

    /// Reads the field `health`.
    init(_ field: Field) throws {
        let fields = try field.fields(
            "failures", "silences", "firstTokenSeconds", "dangerLine", "safeLine", "probeSeconds", "verifySeconds",
            "maximumSeconds", "startSeconds", "rampSeconds", "rampFrom")
        self.init()
        failures = try fields.count("failures", in: 1...100) ?? failures
        silences = try fields.count("silences", in: 1...100) ?? silences
        firstToken = try fields.seconds("firstTokenSeconds") ?? firstToken
        probeLease = max(probeLease, firstToken * 2)
        dangerLine = try fields.number("dangerLine", in: 0...2) ?? dangerLine
        safeLine = try fields.number("safeLine", in: 0...2) ?? min(safeLine, dangerLine)
        probeInterval = try fields.seconds("probeSeconds") ?? probeInterval
        verifyInterval = try fields.seconds("verifySeconds") ?? min(verifyInterval, probeInterval)
        maximumInterval = try fields.seconds("maximumSeconds") ?? max(maximumInterval, probeInterval)
        startLimit = try fields.seconds("startSeconds") ?? startLimit
        ramp = try fields.seconds("rampSeconds", atLeast: 0) ?? ramp
        rampFrom = try fields.number("rampFrom", in: 0...1) ?? rampFrom
        let made = self
        try fields.blame(Self.names) { () throws(ConfigurationError) in try made.validate() }
    }
}
