public import SpillwayCore

/// An observer that remembers everything, in order.
public final class RecordingObserver: Observer {
    private struct Contents {
        var transitions: [Transition] = []
        var shadowed: [Rejection] = []
        var reports: [CallReport] = []
    }

    private let contents = Locked(Contents())

    /// An observer that has seen nothing yet.
    public init() {}

    /// Changes of state, in order.
    public var transitions: [Transition] { contents.withLock { $0.transitions } }
    /// Refusals of gates in shadow mode, in order.
    public var shadowed: [Rejection] { contents.withLock { $0.shadowed } }
    /// Reports of calls, in order.
    public var reports: [CallReport] { contents.withLock { $0.reports } }

    /// Remembers a change of state.
    public func changed(_ transition: Transition) { contents.withLock { $0.transitions.append(transition) } }
    /// Remembers a refusal that was not enforced.
    public func wouldHaveRejected(_ rejection: Rejection) { contents.withLock { $0.shadowed.append(rejection) } }
    /// Remembers a report.
    public func ended(_ report: CallReport) { contents.withLock { $0.reports.append(report) } }
}
