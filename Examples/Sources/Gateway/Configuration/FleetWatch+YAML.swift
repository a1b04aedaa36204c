import Spillway
import SpillwayHTTPClient

extension FleetWatch.Configuration {
    /// The fields of a fleet that say where and how often its replicas are asked.
    static let fields = [
        "model", "probe", "scrapeSeconds", "followSeconds", "absences", "metricsPath", "healthPath", "apiPath", "dcgm",
    ]

    /// Reads those among `fields`.
    init(_ fields: Fields) throws {
        self.init()
        model = try fields["model"]?.text()
        probe =
            try fields["probe"]?.choice(["chat": .chat, "completions": .completions, "embeddings": .embeddings])
            ?? probe
        let scrape = Duration.seconds(try fields.number("scrapeSeconds", in: 0.01...3_600) ?? 1)
        scrapes.rest(for: scrape)
        // What the last scrape but one has said is known still when a probe looks.
        loadFreshness = max(loadFreshness, (scrape * (1 + scrapes.jitter) + scrapes.timeout) * 2)
        memberInterval = try fields.seconds("followSeconds") ?? memberInterval
        absences = try fields.count("absences", in: 1...1_000) ?? absences
        metricsPath = try fields["metricsPath"]?.text() ?? metricsPath
        healthPath = try fields["healthPath"]?.text() ?? healthPath
        if let own = fields["apiPath"] { apiPath = try own.node.string == "none" ? "" : own.text() }
        if let own = fields["dcgm"] { try readDevices(own) }
        let made = self
        try fields.blame(Self.names) { () throws(ConfigurationError) in try made.validate() }
    }

    private static let names = Dictionary(uniqueKeysWithValues: fields.map { ($0, [$0]) })

    /// Reads how the pages of GPUs are read, and what keeps a replica out of use.
    private mutating func readDevices(_ field: Field) throws {
        let fields = try field.fields("scrapeSeconds", "timeoutSeconds", "celsius", "xids")
        if let seconds = try fields.number("scrapeSeconds", in: 0.01...3_600) {
            deviceScrapes.rest(for: .seconds(seconds))
        }
        deviceScrapes.timeout =
            try fields.number("timeoutSeconds", in: 0.001...3_600).map { .seconds($0) } ?? deviceScrapes.timeout
        if let own = fields["celsius"] {
            deviceLimits.temperature = try own.node.string == "never" ? nil : own.number(in: 1...200)
        }
        if let own = fields["xids"] {
            deviceLimits.xids =
                try own.node.string == "none" ? [] : Set(own.elements().map { try $0.count(in: 1...10_000) })
        }
    }
}

extension ScrapePace.Configuration {
    /// Makes `interval` the rest between two scrapes, and the longer rests no shorter.
    fileprivate mutating func rest(for interval: Duration) {
        self.interval = interval
        longest = max(longest, interval)
        probeInterval = max(probeInterval, longest)
    }
}
