public import SpillwayCore

extension ConcurrencyLimit {
    /// Shares of a limit that are kept for some calls, as partitions in Netflix's concurrency-limits.
    ///
    /// A call that keeps its partition within its share always passes, whatever the others do. Beyond its share a partition
    /// takes places that nobody's share holds, and borrows from shares that are not in use. What is on loan when its owner
    /// comes is not taken away: until it is given back, the limit is exceeded by so much. With ``lending`` 0 nothing is lent,
    /// and the limit is never exceeded.
    public struct Partitions: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case criticality([Criticality: Double])
            case key([String: Double])
        }

        let kind: Kind
        /// How much of the shares that are not in use others may borrow, from 0 to 1.
        public let lending: Double

        /// Shares of the limit by how much a call matters, above 0 and together at most 1.
        ///
        /// A class without a share has only what is common or borrowed. `lending` is 1 by default.
        public static func byCriticality(_ shares: [Criticality: Double], lending: Double = 1) -> Partitions {
            Partitions(kind: .criticality(shares), lending: lending)
        }

        /// Shares of the limit by the call's key, above 0 and together at most 1; at most 64 of them.
        ///
        /// All other calls have only what is common or borrowed. `lending` is 1 by default.
        public static func byKey(_ shares: [String: Double], lending: Double = 1) -> Partitions {
            Partitions(kind: .key(shares), lending: lending)
        }

        static let most = 64

        func validate(_ check: Validation) throws(ConfigurationError) {
            let shares: [(name: String, share: Double)] =
                switch kind {
                case .criticality(let shares): shares.map { ("\($0.key)", $0.value) }
                case .key(let shares): shares.map { ($0.key, $0.value) }
                }
            try check.count(shares.count, "partitions", in: 1...Self.most)
            for (name, share) in shares.sorted(by: { $0.name < $1.name }) {
                try check.require(share > 0 && share <= 1, "partitions.\(name)", share, "above 0 and at most 1")
            }
            let sum = shares.map(\.share).sorted().reduce(0, +)
            try check.require(sum <= 1 + 1e-9, "partitions", sum, "shares that are together at most 1")
            try check.number(lending, "partitions.lending", in: 0...1)
        }
    }
}
