internal import CSpillway
public import SpillwayCore

/// Breakers of one fleet, of which never more than a share is open at once.
///
/// When all targets fail at the same time, what fails is rarely the targets: a network, a database behind them, a bad
/// configuration. Breakers that all open then turn trouble into an outage. So a member asks the group for a place before
/// it opens; when there is none it stays closed and counts on, and the next failure asks again. And when more than a share
/// of the members is out of service all the same, because they were isolated by hand or others have left, the rest cannot
/// carry the load: then open breakers refuse nothing until enough are back. The rules are Envoy's
/// (`max_ejection_percent`, `healthy_panic_threshold`).
///
/// A breaker joins when it is made and leaves when it goes away. A closed one pays nothing for it.
public final class BreakerGroup: @unchecked Sendable {
    /// How many members may be open, and when refusing makes it worse.
    public struct Configuration: Sendable, Hashable {
        /// The share of members that may be open at once, from 0 to 1, rounded down; 0.5 by default.
        public var mostOpen: Double
        /// How many may be open in any case, however small their share is, from 0 to 1,000,000; 1 by default.
        public var atLeast: Int
        /// Open breakers refuse nothing while a larger share of the members than this is open, half-open or isolated, from
        /// 0 to 1; 0.5 by default, and 1 for never.
        public var panicAbove: Double

        /// How many members may be open, and when refusing makes it worse.
        public init(mostOpen: Double = 0.5, atLeast: Int = 1, panicAbove: Double = 0.5) {
            self.mostOpen = mostOpen
            self.atLeast = atLeast
            self.panicAbove = panicAbove
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("BreakerGroup")
            try check.number(mostOpen, "mostOpen", in: 0...1)
            try check.count(atLeast, "atLeast", in: 0...1_000_000)
            try check.number(panicAbove, "panicAbove", in: 0...1)
        }
    }

    /// How a group stands.
    public struct Standing: Sendable, Hashable {
        /// The breakers that are in the group.
        public let members: Int
        /// Those that hold a place: open or half-open, and not in shadow mode.
        public let open: Int
        /// Those that were isolated by hand.
        public let isolated: Int
        /// How many may hold a place.
        ///
        /// Fewer than ``open`` when members have left or the share was lowered since: what is open stays open.
        public let mostOpen: Int
        /// Whether open breakers refuse nothing, because too many are out of service.
        public let isPanicking: Bool
    }

    /// What a member takes of its group.
    enum Place {
        /// Nothing: it is closed or disabled, or in shadow mode.
        case none
        /// One of the places for those that are open.
        ///
        /// A half-open breaker keeps it: it still refuses nearly all, and when its probes fail it must not have to ask.
        case open
        /// None of the places, but it is out of service.
        case isolated
    }

    private struct Guarded {
        var configuration: Configuration
        var members = 0
        var open = 0
        var isolated = 0
        var isPanicking = false
        var latest = Instant.zero
        var pending: [Transition] = []
        var isDelivering = false

        var mostOpen: Int {
            // A share such as 0.29 of 100 is a little below 29 in binary.
            let share = Int(Double(members) * configuration.mostOpen + 1e-9)
            return max(share, min(configuration.atLeast, members))
        }

        mutating func count(_ place: Place, _ change: Int) {
            switch place {
            case .none: break
            case .open: open += change
            case .isolated: isolated += change
            }
        }

        /// A breaker alone would never refuse if it could panic.
        var shouldPanic: Bool {
            members > 1 && Double(open + isolated) > Double(members) * configuration.panicAbove + 1e-9
        }
    }

    /// What reports and metrics call the group.
    public let name: String
    /// 1 while it panics; members read it on their way to refuse.
    ///
    /// Touched only by atomic steps in C.
    let panic: UnsafeMutablePointer<UInt32>
    private let observer: (any Observer)?
    private let guarded: Locked<Guarded>

    /// A group without members.
    ///
    /// - Parameters:
    ///   - name: 1 to 200 bytes.
    ///   - configuration: How many may be open, and when refusing makes it worse.
    ///   - observer: Told when the group begins to panic and when it has calmed down, in order and outside of every lock;
    ///     nobody by default.
    /// - Throws: `ConfigurationError` with the field and its value.
    public init(
        _ name: String, _ configuration: Configuration = Configuration(), observer: (any Observer)? = nil
    ) throws(ConfigurationError) {
        try Validation("BreakerGroup").name(name)
        try configuration.validate()
        self.name = name
        self.observer = observer
        guarded = Locked(Guarded(configuration: configuration))
        panic = .allocate(capacity: 1)
        panic.initialize(to: 0)
    }

    deinit { panic.deallocate() }

    /// How the group stands.
    public var standing: Standing {
        guarded.withLock { guarded in
            Standing(
                members: guarded.members, open: guarded.open, isolated: guarded.isolated, mostOpen: guarded.mostOpen,
                isPanicking: guarded.isPanicking)
        }
    }

    /// The configuration in force.
    public var configuration: Configuration { guarded.withLock { $0.configuration } }

    /// Changes the configuration; what is open stays open.
    ///
    /// - Throws: `ConfigurationError`; then the old configuration stays.
    public func update(_ configuration: Configuration) throws(ConfigurationError) {
        try configuration.validate()
        change(at: nil) { $0.configuration = configuration }
        deliver()
    }

    // Members call these under their own lock, and `deliver` when it is gone.

    func join() { change(at: nil) { $0.members += 1 } }

    func leave(_ place: Place) {
        change(at: nil) { guarded in
            guarded.members -= 1
            guarded.count(place, -1)
        }
    }

    /// Takes a place for one that wants to open; false when there is none.
    func take(at now: Instant) -> Bool {
        change(at: now) { guarded in
            guard guarded.open < guarded.mostOpen else { return false }
            guarded.open += 1
            return true
        }
    }

    func move(from old: Place, to new: Place, at now: Instant?) {
        change(at: now) { guarded in
            guarded.count(old, -1)
            guarded.count(new, 1)
        }
    }

    private func change<Result>(at now: Instant?, _ body: (inout Guarded) -> Result) -> Result {
        guarded.withLock { guarded in
            let result = body(&guarded)
            // Who joins or leaves knows no time; the latest that was told will do for a report.
            if let now { guarded.latest = max(guarded.latest, now) }
            guard guarded.shouldPanic != guarded.isPanicking else { return result }
            guarded.isPanicking.toggle()
            spw_breaker_set_panic(panic, guarded.isPanicking)
            if observer != nil {
                let states = guarded.isPanicking ? ("calm", "panicking") : ("panicking", "calm")
                guarded.pending.append(Transition(gate: name, from: states.0, to: states.1, at: guarded.latest))
            }
            return result
        }
    }

    /// One caller at a time tells the observer, in order; the breakers' locks are gone by then.
    func deliver() {
        guard let observer else { return }
        let begins = guarded.withLock { guarded in
            if guarded.isDelivering || guarded.pending.isEmpty { return false }
            guarded.isDelivering = true
            return true
        }
        guard begins else { return }
        while true {
            let next = guarded.withLock { guarded -> Transition? in
                guard guarded.pending.isEmpty else { return guarded.pending.removeFirst() }
                guarded.isDelivering = false
                return nil
            }
            guard let next else { return }
            observer.changed(next)
        }
    }
}
