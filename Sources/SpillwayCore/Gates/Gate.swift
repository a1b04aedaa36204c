private import CSpillway

/// Decides, at once and without waiting, whether a call may pass.
///
/// Circuit breakers, token buckets, concurrency limits and money holds are gates. A gate takes the call and the time, and
/// gives a permit or a rejection; the permit is settled exactly once. A gate never reads a clock.
public protocol Gate: AnyObject, Sendable {
    /// What errors, reports and metrics call the gate.
    var name: String { get }

    /// Lets the call pass, or says why not.
    ///
    /// - Throws: ``Rejection``; then nothing was taken.
    func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit
}

/// A gate whose permits are plain words: those of this package.
///
/// Gates of your own need only ``Gate``.
public protocol BuiltInGate: Gate {
    /// What permits and policies point to.
    var state: GateState { get }
}

/// What a gate of this package counts with.
///
/// It outlives every permit, because it is never freed: a gate that goes away leaves it to the next gate of its kind,
/// in a new life or generation in which old permits count for nothing. That lets a permit point to it without counting
/// references, which would cost more than the gate itself.
open class GateState: @unchecked Sendable {
    private let lives = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)

    /// The first life.
    public init() { lives.initialize(to: 0) }

    deinit { lives.deallocate() }

    /// Which life this is.
    ///
    /// A permit remembers it, for gates that have no generation of their own.
    public var life: UInt32 { spw_life(lives) }

    /// Ends a life: permits that were given in it count for nothing from now on.
    public func endLife() { spw_end_life(lives) }

    /// Lets the call pass, or says why not.
    open func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        fatalError("\(type(of: self)) must say how it admits")
    }

    /// Settles a permit, once.
    ///
    /// No outcome: the call never ran, so give back what was taken.
    open func settle(_ permit: RawPermit, _ outcome: Outcome?, at now: Instant) {}

    /// Settles a permit, once, when something was measured beside the outcome.
    ///
    /// By default what was measured is left aside.
    open func settle(_ permit: RawPermit, _ outcome: Outcome?, _ measured: Measurements, at now: Instant) {
        settle(permit, outcome, at: now)
    }

    /// Whether the gate wants to know what calls use, while they run or when they have ended.
    open var isMetered: Bool { false }

    /// Takes note of all that the call has used so far.
    ///
    /// - Returns: False when the call must stop, because nothing is left to pay for more.
    open func use(_ permit: RawPermit, _ usage: Usage, at now: Instant) -> Bool { true }
}

/// Gate states that wait for their next life; as many as there ever were gates of one kind at a time.
package struct StatePool<State: GateState>: ~Copyable, Sendable {
    private let idle = Locked<[State]>([])

    package init() {}

    package func take(orMake make: () -> State) -> State {
        idle.withLock { $0.popLast() } ?? make()
    }

    package func put(_ state: State) {
        idle.withLock { $0.append(state) }
    }
}

/// The state of a gate that the user wrote: it forwards.
package final class ForeignGateState: GateState, @unchecked Sendable {
    private let gate: any Gate

    package init(_ gate: any Gate) { self.gate = gate }

    package override func admit(_ call: Call, at now: Instant) throws(Rejection) -> Permit {
        try gate.admit(call, at: now)
    }
}
