public import SpillwayCore

/// A gate that refuses what matters least first when the load is high.
///
/// Each `Criticality` has a ``Band`` of load: below it all of its calls pass, above it none, and within it a share that falls evenly.
/// Which calls those are is decided by their key and the hour, so that a key whose calls are refused is refused as a whole, instead of
/// everybody a little: a task of ten calls of which one in ten is refused never succeeds. The idea is DAGOR's (Zhou et al., *Overload
/// Control for Scaling WeChat Microservices*, 2018); the classes are those of Google's *Site Reliability Engineering*.
///
/// What the load is, you say: how full a limit is, how long a queue stands, how much of the GPUs' cache is in use. 1 is full.
public final class LoadShedder: BuiltInGate {
    /// From what load on calls are refused, and from what load on all of them.
    public struct Band: Sendable, Hashable {
        /// Up to here all pass.
        public var from: Double
        /// From here on none passes.
        public var to: Double

        /// A band; `from` must not be above `to`.
        public init(_ from: Double, _ to: Double) {
            self.from = from
            self.to = to
        }

        /// All calls pass, whatever the load.
        public static var never: Band { Band(.infinity, .infinity) }
    }

    /// At what load which calls are refused.
    public struct Configuration: Sendable, Hashable {
        /// Batch work that is tried again later; 0.7 to 0.85 by default.
        public var sheddable = Band(0.7, 0.85)
        /// Batch work that somebody waits for; 0.8 to 0.95 by default.
        public var sheddablePlus = Band(0.8, 0.95)
        /// What a user sees; 0.95 to 1.2 by default.
        public var critical = Band(0.95, 1.2)
        /// What matters most; never by default.
        public var criticalPlus = Band.never
        /// For how long the same keys are refused before it is others' turn; an hour by default.
        public var rotation = Duration.seconds(3_600)
        /// When true it decides and reports but refuses nothing; false by default.
        public var shadow = false

        /// The defaults; they may be changed in `change`.
        public init(_ change: (inout Configuration) -> Void = { _ in }) { change(&self) }

        subscript(criticality: Criticality) -> Band {
            switch criticality {
            case .sheddable: sheddable
            case .sheddablePlus: sheddablePlus
            case .critical: critical
            case .criticalPlus: criticalPlus
            }
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("LoadShedder")
            var least = Band(0, 0)
            for criticality in Criticality.allCases {
                let band = self[criticality]
                try check.require(
                    band.from >= 0 && band.from <= band.to, "\(criticality)", "\(band.from) to \(band.to)",
                    "from 0 or more to no less")
                try check.require(
                    band.from >= least.from && band.to >= least.to, "\(criticality)", "\(band.from) to \(band.to)",
                    "from \(least.from) to \(least.to) or more, as for calls that matter less")
                least = band
            }
            try check.duration(rotation, "rotation", atLeast: .seconds(1))
        }
    }

    private static let pool = StatePool<ShedderState>()

    /// What errors, reports and metrics call the gate.
    public let name: String
    private let shedder: ShedderState
    /// What permits and policies point to.
    public var state: GateState { shedder }

    /// A gate that sheds by `load`.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: At what load which calls are refused.
    ///   - observer: Told of what a gate in shadow mode would have refused; nobody by default.
    ///   - random: Which of the calls without a key are refused; the system by default.
    ///   - load: The load now, 1 for full; what is no number counts as 0. Asked for each call, so it should be quick.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), observer: (any Observer)? = nil,
        random: RandomSource = .system, load: @escaping @Sendable (_ now: Instant) -> Double
    ) throws(ConfigurationError) {
        try Validation("LoadShedder").name(name)
        try configuration.validate()
        self.name = name
        shedder = Self.pool.take { ShedderState() }
        shedder.begin(name, configuration, observer, random, load)
    }

    deinit {
        shedder.end()
        Self.pool.put(shedder)
    }

    /// Lets the call pass, or refuses it for the load.
    ///
    /// - Throws: `Rejection`.
    public func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try shedder.admit(call, at: now)
    }

    /// The configuration in force.
    public var configuration: Configuration { shedder.configuration }

    /// Changes the configuration.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        shedder.update(configuration)
    }
}
