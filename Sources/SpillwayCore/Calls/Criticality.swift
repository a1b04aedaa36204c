/// How much it matters that a call is answered; under load what matters least is refused first.
///
/// The four classes of Google's *Site Reliability Engineering* (2016, chapter 21).
public enum Criticality: UInt8, Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    /// May fail for hours: batch work that is tried again later.
    case sheddable
    /// May fail now and then, as batch work does that somebody waits for.
    case sheddablePlus
    /// A user sees it when it fails: what calls are unless they say otherwise.
    case critical
    /// The most important: to be refused last of all.
    case criticalPlus

    /// Orders by how much it matters, the least first.
    public static func < (left: Criticality, right: Criticality) -> Bool { left.rawValue < right.rawValue }

    /// The class as a header and a metric label, such as `sheddable_plus`.
    public var description: String {
        switch self {
        case .sheddable: "sheddable"
        case .sheddablePlus: "sheddable_plus"
        case .critical: "critical"
        case .criticalPlus: "critical_plus"
        }
    }

    /// The class that is called `description`, such as `sheddable_plus`; nil: none is.
    public init?(_ description: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.description == description }) else { return nil }
        self = found
    }
}

extension Criticality {
    /// Runs `body` so that calls in it matter this much, unless they say otherwise themselves.
    public func bound<Value, Failure: Error>(
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        var context = CallContext.current ?? CallContext()
        context.criticality = self
        return try await context.bound(body).get()
    }
}
