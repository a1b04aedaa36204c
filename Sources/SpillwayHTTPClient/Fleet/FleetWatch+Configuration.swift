#if HTTPClientSupport
public import Spillway

extension FleetWatch {
    /// Where a watch asks, and how often.
    ///
    /// Every field has a default. Paths begin with a slash and follow the member's address.
    public struct Configuration: Sendable {
        /// Where the API lies that OpenAI made common; `/v1` by default, empty for none.
        public var apiPath = "/v1"
        /// The page of metrics; `/metrics` by default.
        ///
        /// A member's label `metrics` goes before it: a URL, `host:port/path`, or `:port/path` on its own host.
        public var metricsPath = "/metrics"
        /// What answers at little cost while the engine lives; `/health` by default.
        public var healthPath = "/health"
        /// What probes ask for; a chat by default.
        ///
        /// A fleet of embedding models has no chats.
        public var probe = Endpoint.chat
        /// The model that probes ask of members that name none; nil, the default: none, and the first that the engine lists where it
        /// wants one.
        public var model: String?
        /// Sent to members as bearer token, and shown nowhere; none by default.
        ///
        /// It goes to the scheme, host and port of a member's address. A page that a label puts at another port gets none, also on
        /// the same host: another process answers there.
        public var apiKey: String?
        /// How often metrics are read.
        public var scrapes = ScrapePace.Configuration()
        /// How often pages of GPUs are read: every 10 s by default, each within 2 s.
        public var deviceScrapes = ScrapePace.Configuration {
            $0.interval = .seconds(10)
            $0.timeout = .seconds(2)
        }
        /// What of a GPU keeps its member out of use.
        public var deviceLimits = DeviceLimits()
        /// The most bytes of a page, from 1 KiB to 64 MiB; 4 MiB by default.
        ///
        /// A larger one counts as failed.
        public var pageLimit = 4 << 20
        /// How old may be what an engine said of its memory, for a probe to count it; 5 s by default.
        public var loadFreshness: Duration = .seconds(5)
        /// How long after an answer the source is asked again, from 1 ms; 5 s by default.
        ///
        /// So often, too, the watch looks whether somebody else has changed the fleet.
        public var memberInterval: Duration = .seconds(5)
        /// Answers in a row of the source without a member, after which it leaves: 1 to 1,000; 3 by default, 1: at once.
        ///
        /// A server of DNS may leave some out of an answer, and a file may be read while it is written: whoever leaves by mistake has
        /// its calls drained, and comes back as one of which nothing is known. Who comes, or has another address, counts at once.
        public var absences = 3
        /// How often the watch looks for calls that are to go on elsewhere, where a replica that is not ready has some; from 1 ms to
        /// 10 s, 100 ms by default.
        ///
        /// As long, too, it waits before it probes again when this process could not ask, for want of a socket.
        public var attention: Duration = .milliseconds(100)
        /// Told what happens, on whatever task it happens; nobody by default.
        public var observe: (@Sendable (Event) -> Void)?

        /// The defaults, changed by `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("FleetWatch")
            for (path, field) in [(metricsPath, "metricsPath"), (healthPath, "healthPath")] {
                try check.require(Self.isPath(path), field, "'\(path)'", "visible ASCII that begins with a slash")
            }
            try check.require(
                apiPath.isEmpty || Self.isPath(apiPath) && !apiPath.hasSuffix("/"), "apiPath", "'\(apiPath)'",
                "empty, or visible ASCII that begins and does not end with a slash")
            try check.require(
                model.map { (1...200).contains($0.utf8.count) } ?? true, "model", "'\(model ?? "")'",
                "1 to 200 bytes long")
            try check.require(
                apiKey?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true, "apiKey", "(hidden)",
                "visible ASCII text")
            // They check themselves when a pace is made of them.
            for pace in [scrapes, deviceScrapes] { _ = try ScrapePace(pace, at: .zero, random: .seeded(0)) }
            try check.count(pageLimit, "pageLimit", in: 1 << 10...64 << 20)
            try check.duration(loadFreshness, "loadFreshness")
            try check.duration(memberInterval, "memberInterval", atLeast: .milliseconds(1))
            try check.count(absences, "absences", in: 1...1_000)
            try check.require(
                attention >= .milliseconds(1) && attention <= .seconds(10), "attention", attention,
                "from 1 ms to 10 s")
        }

        private static func isPath(_ path: String) -> Bool {
            path.hasPrefix("/") && path.utf8.count <= 500
                && path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        }
    }
}
#endif
