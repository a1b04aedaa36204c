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
        /// The zone of the service that asks; nil, the default: all replicas are equally near.
        public var zone: String?
        /// What a replica in another zone costs in time; 1 ms by default.
        public var farther = Duration.milliseconds(1)

        /// The defaults; they may be changed in `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        func validate() throws(ConfigurationError) {
            let check = Validation("Fleet")
            try check.number(panic, "panic", in: 0...1)
            try check.duration(farther, "farther")
            try health?.validate()
        }
    }
}
