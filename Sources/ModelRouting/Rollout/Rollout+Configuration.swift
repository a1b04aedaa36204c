internal import CSpillway
public import SpillwayCore

extension Rollout {
    /// Who gets the new one, and how much worse it may be.
    public struct Configuration: Sendable, Hashable {
        /// The share of calls that get the new one, from 0 to 1.
        ///
        /// With 0 or 1 nothing is compared, because both must serve at the same time for that.
        public var share: Double
        /// Larger shares, each after so many calls of the new one at the share before; none by default.
        public var ramp: [Step] = []
        /// Keys that always get the new one, up to 1,024; none by default.
        ///
        /// Their calls are not counted: nobody of their kind gets the old one to be compared with.
        public var always: [String] = []
        /// By how much the share of failed calls may be higher; 0.005 by default, nil: not compared.
        public var errorTolerance: Double? = 0.005
        /// By what part the first content may come later; 0.1 by default, nil: not compared.
        public var firstContentTolerance: Double? = 0.1
        /// By what part calls may cost more; 0.05 by default, nil: not compared.
        public var costTolerance: Double? = 0.05
        /// By how much the mean quality may be lower; 0.03 by default, nil: not compared.
        public var qualityTolerance: Double? = 0.03
        /// How probable it may be that a new one that is within all tolerances is ever rolled back, above 0 and below 1; 0.01 by
        /// default.
        ///
        /// It is split evenly over the metrics that are compared, so leave out those of which nothing is recorded.
        public var falseAlarm = 0.01
        /// When true it decides and reports but goes on; false by default.
        public var shadow = false

        /// So much of the traffic, with the other fields as `change` sets them.
        public init(share: Double, _ change: (inout Configuration) -> Void = { _ in }) {
            self.share = share
            change(&self)
        }

        /// By how much the new one may be worse; nil: not compared.
        public func tolerance(_ metric: Metric) -> Double? {
            switch metric {
            case .errors: errorTolerance
            case .firstContent: firstContentTolerance
            case .cost: costTolerance
            case .quality: qualityTolerance
            }
        }

        /// How many metrics are compared.
        var compared: Int { Metric.allCases.count { tolerance($0) != nil } }

        /// The e-value at which a metric speaks against the new one.
        var threshold: Double { Double(max(compared, 1)) / falseAlarm }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("Rollout")
            try check.number(share, "share", in: 0...1)
            try check.count(ramp.count, "ramp.count", in: 0...100)
            var last = share
            for step in ramp {
                try check.number(step.share, "ramp.share", in: 0...1)
                try check.require(step.share > last, "ramp.share", step.share, "above the share before, \(last)")
                try check.count(step.calls, "ramp.calls", in: 1...1_000_000_000)
                last = step.share
            }
            try check.count(always.count, "always.count", in: 0...Int(SPW_ROLLOUT_KEYS))
            for (tolerance, field) in [(errorTolerance, "errorTolerance"), (qualityTolerance, "qualityTolerance")] {
                guard let tolerance else { continue }
                try check.require(tolerance >= 0 && tolerance < 1, field, tolerance, "from 0 to below 1")
            }
            for (tolerance, field) in [
                (firstContentTolerance, "firstContentTolerance"), (costTolerance, "costTolerance"),
            ] {
                guard let tolerance else { continue }
                try check.number(tolerance, field, in: 0...100)
            }
            try check.require(
                falseAlarm >= 1e-12 && falseAlarm < 1, "falseAlarm", falseAlarm, "at least 1e-12 and below 1")
        }
    }

    /// A larger share, after some calls at the one before.
    public struct Step: Sendable, Hashable {
        /// The share from then on.
        public var share: Double
        /// After how many counted calls of the new one, at the share before.
        public var calls: Int

        /// A larger share, after `calls` of the new one at the share before.
        public init(to share: Double, after calls: Int) {
            self.share = share
            self.calls = calls
        }
    }
}
