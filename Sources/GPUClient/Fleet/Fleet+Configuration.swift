internal import SpillwayCore

extension Fleet {
    /// How a fleet chooses.
    public struct Configuration: Sendable {
        /// By what rule; ``FleetRule/predicted`` by default.
        public var rule = FleetRule.predicted
        /// How each replica's health is judged; nil, the default: all are taken for well.
        ///
        /// With it a replica gets no call before a probe has found it ready: see ``Fleet/health(of:)``.
        public var health: ReplicaHealth.Configuration?
        /// Below which share of replicas that are ready degraded ones are used too, from 0 to 1; 0.5 by default.
        ///
        /// Few that are ready could not bear the load of all (Envoy's panic threshold).
        public var panic = 0.5

        /// How long calls of a member that is wanted no more may go on, with health checks; 10 min by default.
        ///
        /// Then they are handed over. Less than what the machine is given before it is taken away.
        public var leaveLimit = Duration.seconds(600)

        /// The zone of the service that asks; nil, the default: no zone is nearer than another.
        public var zone: String?
        /// The region of the service that asks; nil, the default: no region is nearer than another.
        public var region: String?
        /// What a replica in another zone costs in time; 1 ms by default.
        public var farther = Duration.milliseconds(1)
        /// What a replica in another region costs in time; 50 ms by default.
        public var farthest = Duration.milliseconds(50)

        /// Time to the first token that is soon enough; nil, the default: the sooner, the better.
        ///
        /// Of replicas that are predicted to be soon enough the one is taken whose answer costs least, by ``Member/costPerHour``.
        public var objective: Duration?

        /// The share of its memory for keys and values that a replica's calls may need, above 0 and at most 100; nil, the default:
        /// any.
        ///
        /// Calls are refused (`memory_full`) when no replica has the blocks for prompt and answer: engines would let them wait, or
        /// take the blocks of others. One that is too large for each of them even alone is refused as too long (`window_too_small`).
        /// Where it is not known how much memory there is, none is refused.
        public var memory: Double?
        /// How long the oldest own call may have waited for its first token at a replica that is to get another; nil, the default:
        /// any time.
        ///
        /// Calls are refused (`saturated`) when all replicas have older ones.
        public var queueAge: Duration?

        /// The defaults; they may be changed in `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        func validate() throws(ConfigurationError) {
            let check = Validation("Fleet")
            try check.number(panic, "panic", in: 0...1)
            try check.duration(leaveLimit, "leaveLimit")
            try check.duration(farther, "farther")
            try check.duration(farthest, "farthest")
            if let objective { try check.duration(objective, "objective", atLeast: .microseconds(1)) }
            if let memory {
                try check.require(memory > 0 && memory <= 100, "memory", memory, "above 0 and at most 100")
            }
            if let queueAge { try check.duration(queueAge, "queueAge", atLeast: .microseconds(1)) }
            try health?.validate()
        }
    }
}
