internal import CSpillway
public import SpillwayCore

extension SharedLimit {
    /// How much there is for all processes together.
    public enum Limit: Sendable, Hashable {
        /// A bucket that fills at a rate and holds `burst` units, at most 2³² − 1.
        ///
        /// It begins empty.
        case rate(Rate, burst: Int64)
        /// So many units in each span, at most 2⁵³, and none before the next begins.
        ///
        /// Spans are counted from 1970, in the store's time: one of 86,400 s is a day in UTC. For money count nano-dollars.
        case amount(Int64, per: Duration)

        var isAmount: Bool { if case .amount = self { true } else { false } }
    }

    /// What a process may do by itself while the store is away.
    public enum Fallback: Sendable, Hashable {
        /// Spend the slice that it has, and then refuse.
        case refuse
        /// And then go on at this share of the rate, above 0 and at most 1; only for a rate.
        ///
        /// Every process may: ten with a share of 0.1 may spend the whole rate together.
        case share(Double)
    }

    /// How many units a call costs, where no ``Unit`` says it.
    public struct Cost: Sendable {
        let estimate: @Sendable (Call) -> Int64
        let used: (@Sendable (Usage) -> Int64)?

        /// A cost of your own.
        ///
        /// - Parameters:
        ///   - estimate: What a call is taken to cost before it runs; 0 or less passes.
        ///   - used: What it has cost, where the policy knows what it used; nil: as much as estimated.
        public init(
            _ estimate: @escaping @Sendable (Call) -> Int64, used: (@Sendable (Usage) -> Int64)? = nil
        ) {
            self.estimate = estimate
            self.used = used
        }
    }

    /// The limit, and how a process takes its slices of it.
    public struct Configuration: Sendable, Hashable {
        /// How much there is for all processes together; the same in all of them.
        public var limit: Limit
        /// What is counted; calls by default.
        ///
        /// Not used where the limit has a ``Cost`` of its own.
        public var unit: Unit = .calls
        /// What a process may do by itself while the store is away; nothing by default.
        public var fallback: Fallback = .refuse
        /// How long a slice may be spent before it must be renewed, from 1 s to 1 hour; 5 s by default.
        ///
        /// Of an amount, what a process holds that has died is free again after this time.
        public var life: Duration = .seconds(5)
        /// For how long a slice should last at the present use, from 10 ms to ``life``; 150 ms by default.
        public var cover: Duration = .milliseconds(150)
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow = false

        /// A limit.
        public init(
            _ limit: Limit, unit: Unit = .calls, fallback: Fallback = .refuse, life: Duration = .seconds(5),
            cover: Duration = .milliseconds(150), shadow: Bool = false
        ) {
            self.limit = limit
            self.unit = unit
            self.fallback = fallback
            self.life = life
            self.cover = cover
            self.shadow = shadow
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("SharedLimit")
            switch limit {
            case .rate(let rate, let burst):
                try check.require(burst >= 1 && burst <= UInt32.max, "burst", burst, "from 1 to \(UInt32.max)")
                _ = try rate.interval(burst: UInt32(burst), "SharedLimit")
                try check.duration(rate.span, "rate.span", atLeast: .microseconds(1))
            case .amount(let amount, let span):
                try check.require(
                    amount >= 1 && amount <= 1 << 53, "amount", amount, "from 1 to \(Int64(1) << 53)")
                try check.duration(span, "amount.span", atLeast: .seconds(1))
                try check.require(fallback == .refuse, "fallback", fallback, "refuse: only a rate has a share")
            }
            if case .share(let share) = fallback {
                try check.require(share > 0 && share <= 1, "fallback.share", share, "above 0 and at most 1")
                _ = try fallbackBucket()
            }
            try check.duration(life, "life", atLeast: .seconds(1))
            try check.require(life <= .seconds(3_600), "life", life, "at most an hour")
            try check.duration(cover, "cover", atLeast: .milliseconds(10))
            try check.require(cover <= life, "cover", cover, "at most the life of \(life)")
        }

        /// The interval and burst of the bucket of a process that is by itself; nil: it has none.
        func fallbackBucket() throws(ConfigurationError) -> (interval: Int64, burst: Int64)? {
            guard case .share(let share) = fallback, case .rate(let rate, let burst) = limit else { return nil }
            let own = Rate(rate.units * share, per: rate.span)
            return (try own.interval(burst: UInt32(burst), "SharedLimit"), burst)
        }

        /// The largest cost that can ever pass.
        var most: Int64 {
            switch limit {
            case .rate(_, let burst): burst
            case .amount(let amount, _): amount
            }
        }

        var isAmount: Bool { limit.isAmount }

        /// When a holder that hears nothing tells the store that it is there, and gives back what it does not need.
        var renewal: Duration { life / 3 }
    }
}
