public import SpillwayCore

extension ReplicaHealth {
    /// When a replica is taken out of use, how it is probed, and how it comes back.
    ///
    /// Every field has a default.
    public struct Configuration: Sendable, Hashable {
        /// Calls in a row that fail, or probes in a row that make no token, after which it is degraded; 3 by default.
        public var failures = 3
        /// Probes in a row that nobody answers, after which it is dead; 3 by default.
        public var silences = 3
        /// How long the first token of a probe may take; 2 s by default.
        ///
        /// One that takes longer is as bad as a call that hangs. Take some times what a replica under full load needs, and less
        /// than one needs that is ten times as slow.
        public var firstToken: Duration = .seconds(2)
        /// The share of the KV cache in use from which it is degraded, above 0; 0.95 by default.
        ///
        /// Above 1: not looked at.
        public var dangerLine = 0.95
        /// The share of the KV cache in use below which a degraded one may come back, at most ``dangerLine``; 0.9 by default.
        public var safeLine = 0.9
        /// How long from one probe to the next while nothing is wrong; 10 s by default.
        public var probeInterval: Duration = .seconds(10)
        /// How long after the first probe that failed until the next, doubling up to ``probeInterval``; 250 ms by default.
        public var verifyInterval: Duration = .milliseconds(250)
        /// The longest time from one probe of a dead replica to the next; 60 s by default, at least ``probeInterval``.
        ///
        /// From ``probeInterval`` it doubles with each.
        public var maximumInterval: Duration = .seconds(60)
        /// By how much intervals are lengthened at random, as a part of each, so that probes of many spread; 0.2 by default.
        public var jitter = 0.2
        /// How long a probe may go unanswered; then it counts as failed and another may begin.
        ///
        /// 10 s by default, at least ``firstToken``; `FleetWatch` wants twice that, since one probe may ask twice.
        public var probeLease: Duration = .seconds(10)
        /// How long a start may take until somebody answers; 15 min by default.
        public var startLimit: Duration = .seconds(900)
        /// How long a replica that has become ready gets less than its share; 30 s by default, zero for none.
        public var ramp: Duration = .seconds(30)
        /// The part of its share with which it begins, above 0 and at most 1; 0.1 by default.
        public var rampFrom = 0.1
        /// How the ramp bends: 1 is a straight line, more gives more at first; 1 by default, from 0.1 to 10.
        public var aggression = 1.0

        /// The defaults.
        public init() {}

        /// The defaults, with what `change` sets.
        public init(_ change: (inout Configuration) -> Void) {
            change(&self)
        }

        /// Refuses values that cannot work.
        ///
        /// - Throws: `ConfigurationError` with the field and its value.
        public func validate() throws(ConfigurationError) {
            let check = Validation("ReplicaHealth")
            let least = Duration.milliseconds(1)
            try check.count(failures, "failures", in: 1...100)
            try check.count(silences, "silences", in: 1...100)
            try check.duration(firstToken, "firstToken", atLeast: least)
            try check.number(dangerLine, "dangerLine", in: 0.01...10)
            try check.require(
                safeLine > 0 && safeLine <= dangerLine, "safeLine", safeLine, "above 0 and at most dangerLine")
            try check.duration(verifyInterval, "verifyInterval", atLeast: least)
            try check.duration(probeInterval, "probeInterval", atLeast: verifyInterval)
            try check.duration(maximumInterval, "maximumInterval", atLeast: probeInterval)
            try check.number(jitter, "jitter", in: 0...1)
            try check.duration(probeLease, "probeLease", atLeast: firstToken)
            try check.duration(startLimit, "startLimit", atLeast: least)
            try check.duration(ramp, "ramp")
            try check.require(rampFrom > 0 && rampFrom <= 1, "rampFrom", rampFrom, "above 0 and at most 1")
            try check.number(aggression, "aggression", in: 0.1...10)
        }
    }
}
