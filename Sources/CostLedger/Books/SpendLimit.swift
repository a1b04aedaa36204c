internal import SpillwayCore

/// How much may be spent for a scope, or for each scope of a kind, in a window.
public struct SpendLimit: Sendable, Hashable {
    /// For whom a limit is.
    public enum Target: Sendable, Hashable {
        /// One scope; this limit stands instead of one for each of its kind with the same window.
        case scope(Scope)
        /// Every scope of the kind, each for itself.
        case each(Scope.Kind)
    }

    /// For whom the limit is.
    public let target: Target
    /// What is never spent more than, but for what a settled call has cost above what it held; nil: there is no such bound.
    public let hard: Money?
    /// What the observer is told of when it is passed, once in a window; nil: nothing.
    public let soft: Money?
    /// The span over which it counts.
    public let window: Window

    /// A limit for one scope.
    ///
    /// - Parameters:
    ///   - scope: For whom.
    ///   - hard: What is never spent more than; 0 or more.
    ///   - soft: What the observer is told of when it is passed; at most `hard`.
    ///   - window: The span over which it counts; a calendar month by default.
    public init(_ scope: Scope, hard: Money?, soft: Money? = nil, per window: Window = .month) {
        self.init(.scope(scope), hard, soft, window)
    }

    /// A limit for each scope of a kind.
    ///
    /// - Parameters:
    ///   - kind: For whom.
    ///   - hard: What is never spent more than; 0 or more.
    ///   - soft: What the observer is told of when it is passed; at most `hard`.
    ///   - window: The span over which it counts; a calendar month by default.
    public init(each kind: Scope.Kind, hard: Money?, soft: Money? = nil, per window: Window = .month) {
        self.init(.each(kind), hard, soft, window)
    }

    private init(_ target: Target, _ hard: Money?, _ soft: Money?, _ window: Window) {
        self.target = target
        self.hard = hard
        self.soft = soft
        self.window = window
    }

    /// The most limits of one scope.
    static let mostOfScope = 4

    func validate() throws(ConfigurationError) {
        let check = Validation("SpendLimit")
        if case .scope(let scope) = target { try check.name(scope.name) }
        try check.require(hard != nil || soft != nil, "hard", "nil, and soft too", "an amount, at least one of both")
        try check.require(hard ?? .zero >= .zero, "hard", hard ?? .zero, "$0.00 or more")
        try check.require(soft ?? .zero >= .zero, "soft", soft ?? .zero, "$0.00 or more")
        if let hard, let soft { try check.require(soft <= hard, "soft", soft, "at most the hard limit, \(hard)") }
        if case .rolling(let span, let steps) = window {
            try check.count(steps, "steps", in: 1...1_000)
            try check.duration(span, "window", atLeast: .milliseconds(1))
        }
    }

    /// The limits of `scope` among `limits`.
    static func of(_ scope: Scope, _ limits: [SpendLimit]) -> [SpendLimit] {
        let own = limits.filter { $0.target == .scope(scope) }
        return own
            + limits.filter { limit in
                limit.target == .each(scope.kind) && !own.contains { $0.window == limit.window }
            }
    }

    /// Checks each, and all together.
    static func validate(_ limits: [SpendLimit]) throws(ConfigurationError) {
        let check = Validation("Ledger")
        var seen: Set<Target> = []
        for limit in limits {
            try limit.validate()
            let same = limits.filter { $0.target == limit.target }
            try check.require(
                Set(same.map(\.window)).count == same.count, "limits", "two for \(limit.target) and the same window",
                "one for each target and window")
            seen.insert(limit.target)
        }
        for case .scope(let scope) in seen {
            let count = of(scope, limits).count
            try check.require(count <= mostOfScope, "limits", "\(count) for \(scope)", "at most \(mostOfScope)")
        }
        for kind in Scope.Kind.allCases {
            let count = limits.filter { $0.target == .each(kind) }.count
            try check.require(count <= mostOfScope, "limits", "\(count) for each \(kind)", "at most \(mostOfScope)")
        }
    }
}
