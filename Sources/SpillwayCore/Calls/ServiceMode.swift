/// Which tier of a ladder serves a call, and why none above it.
///
/// A plain value: making and copying one allocates nothing.
public struct ServiceMode: Sendable, Hashable, CustomStringConvertible {
    /// What kind of answer a tier gives.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// A model generates it.
        case model
        /// Passages that were found, without a model.
        case retrieval
        /// An answer that was given before.
        case cache
        /// A ticket: the answer comes later.
        case deferral
    }

    /// What an answer of a tier lacks, compared with the best.
    public struct Changes: OptionSet, Sendable, Hashable {
        /// One bit for each change.
        public let rawValue: UInt8
        /// The answer is shorter.
        public static let shorter = Changes(rawValue: 1)
        /// A lesser model gives it, or none.
        public static let lowerRank = Changes(rawValue: 2)
        /// It comes later, by other means.
        public static let later = Changes(rawValue: 4)

        /// The changes of these bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
    }

    private let name: GateName
    /// How many tiers stand above it; 0: the best.
    public let level: Int
    /// What kind of answer it is.
    public let kind: Kind
    /// What the answer lacks.
    public let changes: Changes
    /// Why the tiers above were passed over, as the last of them said; nil for the best one.
    public let reason: Reason?

    /// The tier's name.
    public var tier: String { name.description }
    /// Whether the answer is not of the best tier.
    public var isDegraded: Bool { level > 0 }

    /// One line, such as `compact (level 1: breaker_open)`.
    public var description: String {
        "\(name) (level \(level)\(reason.map { ": \($0)" } ?? ""))"
    }

    package init(_ name: GateName, level: Int, kind: Kind, changes: Changes, reason: Reason?) {
        self.name = name
        self.level = level
        self.kind = kind
        self.changes = changes
        self.reason = reason
    }

    package func because(_ reason: Reason?) -> ServiceMode {
        ServiceMode(name, level: level, kind: kind, changes: changes, reason: level == 0 ? nil : reason)
    }
}

/// A tier that did not serve a call, and why.
public struct ServiceStep: Sendable, Hashable, CustomStringConvertible {
    private let name: GateName
    /// Why.
    public let reason: Reason
    /// How an attempt there failed, for ``Reason/targetFailed``; else ``Outcome/Cause/none``.
    public let cause: Outcome.Cause

    /// The tier's name.
    public var tier: String { name.description }
    /// One line, such as `premium: target_failed (timeout)`.
    public var description: String { "\(name): \(reason)\(cause == .none ? "" : " (\(cause))")" }

    package init(_ name: GateName, _ reason: Reason, _ cause: Outcome.Cause = .none) {
        self.name = name
        self.reason = reason
        self.cause = cause
    }
}
