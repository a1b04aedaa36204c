public import SpillwayCore

extension FairQueue {
    /// How many calls wait, for how long, and in what order.
    public struct Configuration: Sendable, Hashable {
        /// The most calls that wait, from 1 to 1,000,000; 1,000 by default.
        ///
        /// When it is full, who has the least right to wait must go: of the calls that matter least, the newest of the tenant
        /// that has the most of them for its weight.
        public var capacity = 1_000
        /// The longest wait, 10 s by default; a call's deadline may make it shorter.
        public var longest = Duration.seconds(10)
        /// The longest wait of calls that matter so much; those that are not named wait for ``longest``.
        public var longestByCriticality: [Criticality: Duration] = [:]
        /// In what order calls of one tenant go that matter equally; the oldest first by default.
        public var order = Order.fifo
        /// When a queue that stands for too long drops calls; never by default.
        public var discard = Discard.never
        /// Weights of tenants, above 0, by `Call.key`; those that are not named have 1.
        public var weights: [String: Double] = [:]
        /// What tenants get fair shares of; calls by default.
        ///
        /// With several, a call costs the largest share that it takes of any of them: dominant-resource fairness.
        public var resources: [Resource] = [.calls(1)]

        /// Limits as given; the other settings may be changed in `change`.
        public init(
            capacity: Int = 1_000, longest: Duration = .seconds(10), _ change: (inout Configuration) -> Void = { _ in }
        ) {
            self.capacity = capacity
            self.longest = longest
            change(&self)
        }

        func longest(_ criticality: Criticality) -> Duration { longestByCriticality[criticality] ?? longest }

        func weight(_ key: String) -> Double { weights[key] ?? 1 }

        /// The largest share that `call` takes of any resource.
        func cost(of call: Call) -> Double { resources.reduce(0) { max($0, $1.share(of: call.tokens.total)) } }

        /// The same for a call that really took so many tokens.
        func cost(ofTokens tokens: Int) -> Double {
            resources.reduce(0) { max($0, $1.share(of: UInt32(clamping: tokens))) }
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("FairQueue")
            try check.count(capacity, "capacity", in: 1...1_000_000)
            try check.duration(longest, "longest", atLeast: .nanoseconds(1))
            for (criticality, longest) in longestByCriticality {
                try check.duration(longest, "longestByCriticality[\(criticality)]", atLeast: .nanoseconds(1))
            }
            for (key, weight) in weights {
                try check.number(weight, "weights[\(key)]", in: 1e-6...1e6)
            }
            try check.require(!resources.isEmpty, "resources", "empty", "at least one")
            for resource in resources {
                try check.number(resource.capacity, "resources.capacity", in: 1e-3...1e15)
            }
            if case .adaptiveLIFO(let after) = order { try check.duration(after, "order.after") }
            if case .codel(let target, let interval) = discard {
                try check.duration(target, "discard.target", atLeast: .nanoseconds(1))
                try check.duration(interval, "discard.interval", atLeast: .nanoseconds(1))
            }
        }
    }

    /// In what order calls go that have the same right to.
    public enum Order: Sendable, Hashable {
        /// The oldest first.
        case fifo
        /// The oldest first, but the newest first for as long as the oldest has waited longer than this: in overload most of the
        /// old ones have been given up by their callers (Maurer, *Fail at Scale*, 2015).
        case adaptiveLIFO(after: Duration)
    }

    /// When calls are dropped although they could wait.
    public enum Discard: Sendable, Hashable {
        /// Only when they have waited for too long.
        case never
        /// When no wait was below `target` for a whole `interval`: controlled delay (RFC 8289). For calls to models a target
        /// of a twentieth and an interval of a fifth of the time that callers wait at most do well.
        case codel(target: Duration, interval: Duration)
    }

    /// What tenants get fair shares of.
    public struct Resource: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case calls, tokens
            case blocks(tokens: Int)
        }

        let kind: Kind
        let capacity: Double

        /// Calls, of which there are so many; only the ratio to other resources matters.
        public static func calls(_ capacity: Double) -> Resource { Resource(kind: .calls, capacity: capacity) }
        /// Tokens of prompt and answer, as estimated, of which there are so many.
        public static func tokens(_ capacity: Double) -> Resource { Resource(kind: .tokens, capacity: capacity) }
        /// Blocks of an engine's cache, of which there are so many; 16 tokens each by default.
        public static func cacheBlocks(_ capacity: Double, tokensPerBlock: Int = 16) -> Resource {
            Resource(kind: .blocks(tokens: max(1, tokensPerBlock)), capacity: capacity)
        }

        func share(of tokens: UInt32) -> Double {
            switch kind {
            case .calls: 1 / capacity
            // What says nothing of its tokens takes some all the same: nothing would always be next.
            case .tokens: Double(max(1, tokens)) / capacity
            case .blocks(let size): (Double(max(1, tokens)) / Double(size)).rounded(.up) / capacity
            }
        }
    }
}
