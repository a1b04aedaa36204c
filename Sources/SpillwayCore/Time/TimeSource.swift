private import CSpillway

/// Where the time comes from, and how to wait for it.
///
/// Services use ``SystemTime``; tests and simulations use `ManualTime` of the `SpillwayTesting` product.
public protocol TimeSource: Sendable {
    /// The present. Never earlier than an instant that was returned before.
    var now: Instant { get }

    /// Returns at `instant` or a little later, at once when it is past.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(until instant: Instant) async throws(CancellationError)
}

extension TimeSource {
    /// Returns when `duration` has passed or a little later, at once when it is not positive.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(for duration: Duration) async throws(CancellationError) {
        try await sleep(until: now.advanced(by: duration))
    }
}

/// The machine's monotonic clock, and one timer for the whole process.
///
/// A read costs what `clock_gettime(CLOCK_MONOTONIC)` costs, about 20 ns. Waits end on the next millisecond; all of them
/// share one timer wheel on one thread that sleeps while nothing is due.
public struct SystemTime: TimeSource {
    /// The machine's monotonic clock.
    public init() {}

    /// The present.
    public var now: Instant {
        Instant(nanoseconds: spw_now())
    }

    /// Returns at `instant`, or up to about two milliseconds later.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until instant: Instant) async throws(CancellationError) {
        try await SharedTimer.process.sleep(until: instant)
    }
}

extension TimeSource where Self == SystemTime {
    /// The machine's monotonic clock.
    public static var system: SystemTime { SystemTime() }
}
