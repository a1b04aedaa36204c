public import SpillwayCore

extension DemandForecast {
    /// How demand is cut into buckets and smoothed.
    public struct Configuration: Sendable, Hashable {
        /// How long a bucket is, from a second to a day; 5 minutes by default.
        public var bucket: Duration
        /// After how many buckets demand repeats, from 2 to 10,080, such as 288 for a day of 5 minutes; nil, the default: never.
        public var season: Int?
        /// How many buckets ahead it can tell, from 1 to 288; 12 by default.
        public var horizon: Int
        /// How many of the last errors the interval is taken from, from 20 to 2,016; 288 by default.
        public var errors: Int
        /// How fast it forgets.
        public var smoothing: Smoothing

        /// Settings.
        public init(
            bucket: Duration = .seconds(300), season: Int? = nil, horizon: Int = 12, errors: Int = 288,
            smoothing: Smoothing = Smoothing()
        ) {
            self.bucket = bucket
            self.season = season
            self.horizon = horizon
            self.errors = errors
            self.smoothing = smoothing
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("DemandForecast")
            try check.require(
                bucket >= .seconds(1) && bucket <= .seconds(86_400), "bucket", bucket, "from a second to a day")
            if let season { try check.count(season, "season", in: 2...10_080) }
            try check.count(horizon, "horizon", in: 1...288)
            try check.count(errors, "errors", in: 20...2_016)
            try check.number(smoothing.level, "smoothing.level", in: 0...1)
            try check.number(smoothing.trend, "smoothing.trend", in: 0...1)
            try check.number(smoothing.season, "smoothing.season", in: 0...1)
            try check.number(smoothing.damping, "smoothing.damping", in: 0...1)
        }
    }

    /// How much of each error is learnt: α, β*, γ* and φ of Hyndman and Athanasopoulos, all from 0 to 1.
    public struct Smoothing: Sendable, Hashable {
        /// α, the share of an error that goes to the level; 0.3 by default.
        public var level: Double
        /// β*, the share of the level's change that goes to the trend; 0.05 by default.
        public var trend: Double
        /// γ*, the share of what the level leaves of an error that goes to the season; 0.2 by default.
        public var season: Double
        /// φ, what is left of the trend with each bucket ahead; 0.95 by default, 1: all for ever.
        public var damping: Double

        /// How fast to forget.
        public init(level: Double = 0.3, trend: Double = 0.05, season: Double = 0.2, damping: Double = 0.95) {
            self.level = level
            self.trend = trend
            self.season = season
            self.damping = damping
        }
    }
}
