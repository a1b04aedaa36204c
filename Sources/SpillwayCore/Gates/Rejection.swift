/// A gate's refusal: who refused, why, and when to come back.
///
/// A plain value of 24 bytes: making one allocates nothing.
public struct Rejection: Error, Sendable, Hashable, CustomStringConvertible {
    /// The gate that refused.
    public let gate: GateName
    @usableFromInline let hint: Int64
    /// Why it refused.
    public let reason: Reason

    /// A refusal, with `nanoseconds` to stay away; negative when that is not known.
    @inlinable
    public init(_ gate: GateName, _ reason: Reason, retryAfter nanoseconds: Int64) {
        self.gate = gate
        self.reason = reason
        hint = nanoseconds
    }

    /// A refusal by a gate of the user's own.
    ///
    /// - Parameters:
    ///   - gate: The gate that refused.
    ///   - reason: Why it refused.
    ///   - retryAfter: How long to stay away; nil when that is not known.
    public init(by gate: GateName, reason: Reason, retryAfter: Duration? = nil) {
        self.init(gate, reason, retryAfter: retryAfter.map { max($0.clampedNanoseconds, 0) } ?? -1)
    }

    /// How long to stay away; nil when that is not known.
    public var retryAfter: Duration? {
        hint < 0 ? nil : .nanoseconds(hint)
    }

    /// Whether one may come back earlier than after `other`; not saying when is later than any time.
    package func isSooner(than other: Rejection) -> Bool {
        (retryAfter ?? .seconds(1 << 40)) < (other.retryAfter ?? .seconds(1 << 40))
    }

    /// One line: the gate, the reason and when to come back.
    public var description: String {
        "\(gate) refused: \(reason)" + (retryAfter.map { ", retry after \($0)" } ?? "")
    }
}
