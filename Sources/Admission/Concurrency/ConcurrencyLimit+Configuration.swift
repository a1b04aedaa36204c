internal import CSpillway
public import SpillwayCore

extension ConcurrencyLimit {
    /// How many calls may be in flight, and who may be.
    public struct Configuration: Sendable, Hashable {
        /// The limit, or the rule that finds it.
        public var limit: Limit
        /// What an adaptive limit stays within, from 1 to 65,000; 1 to 1,000 by default.
        public var range: ClosedRange<Int>
        /// What an adaptive limit starts from; nil, the default: 20, or the end of the range that is nearest to it.
        ///
        /// 20 is what Netflix's concurrency-limits starts from. Choose one that the target surely bears: what it is like
        /// without load is learnt there.
        public var initially: Int?
        /// Shares of the limit that are kept for some calls; nil, the default: none.
        public var partitions: Partitions?
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow: Bool

        /// A limit.
        public init(
            _ limit: Limit, in range: ClosedRange<Int> = 1...1_000, initially: Int? = nil,
            partitions: Partitions? = nil,
            shadow: Bool = false
        ) {
            self.limit = limit
            self.range = range
            self.initially = initially
            self.partitions = partitions
            self.shadow = shadow
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("ConcurrencyLimit")
            let most = Int(SPW_CONCURRENCY_MOST)
            switch limit {
            case .fixed(let limit): try check.count(limit, "limit", in: 1...most)
            case .adaptive(let rule):
                try check.count(range.lowerBound, "range.lowerBound", in: 1...most)
                try check.count(range.upperBound, "range.upperBound", in: 1...most)
                if let initially { try check.count(initially, "initially", in: range) }
                try rule.validate(check)
            }
            try partitions?.validate(check)
        }

        /// The limit to begin with.
        var start: Int {
            switch limit {
            case .fixed(let limit): limit
            case .adaptive: min(max(initially ?? 20, range.lowerBound), range.upperBound)
            }
        }
    }

    /// A limit on calls in flight.
    public enum Limit: Sendable, Hashable {
        /// This many, from 1 to 65,000.
        case fixed(Int)
        /// As many as a rule finds.
        case adaptive(Rule)
    }
}
