internal import SpillwayCore

extension ScrapePace {
    /// How often to scrape, and when to leave a replica alone.
    public struct Configuration: Sendable, Hashable {
        /// The rest between an answer and the next scrape, from 10 ms to 1 hour; 1 s by default.
        public var interval: Duration = .seconds(1)
        /// The part of each rest that chance adds or takes, from 0 to 0.5; 0.1 by default.
        ///
        /// It keeps clients that began together from scraping together. The first scrape comes at any time of the first interval.
        public var jitter = 0.1
        /// An answer that takes longer than this share of the interval is slow, above 0 and at most 1; 0.25 by default.
        public var slowShare = 0.25
        /// After this long there is no answer, from 1 ms to 1 hour; 1 s by default.
        public var timeout: Duration = .seconds(1)
        /// The longest rest to which slow answers and failures double it, from ``interval`` to 1 hour; 30 s by default.
        public var longest: Duration = .seconds(30)
        /// So many timeouts in a row mean that the scrapes wedge the replica, from 1 to 1,000; 3 by default.
        public var wedgedAfter = 3
        /// The rest between scrapes of a wedged replica, from ``longest`` to 1 day; 60 s by default.
        public var probeInterval: Duration = .seconds(60)

        /// The defaults, changed by `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        func validate() throws(ConfigurationError) {
            let check = Validation("ScrapePace"), hour = Duration.seconds(3_600)
            func span(
                _ value: Duration, _ field: String, _ least: Duration, _ most: Duration
            ) throws(ConfigurationError) {
                try check.require(value >= least && value <= most, field, value, "from \(least) to \(most)")
            }
            try span(interval, "interval", .milliseconds(10), hour)
            try check.number(jitter, "jitter", in: 0...0.5)
            try check.require(slowShare > 0 && slowShare <= 1, "slowShare", slowShare, "above 0 and at most 1")
            try span(timeout, "timeout", .milliseconds(1), hour)
            try span(longest, "longest", interval, hour)
            try check.count(wedgedAfter, "wedgedAfter", in: 1...1_000)
            try span(probeInterval, "probeInterval", longest, .seconds(86_400))
        }
    }
}
