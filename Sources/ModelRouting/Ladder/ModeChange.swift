public import SpillwayCore

/// A ladder left a tier for all calls, or came back to it.
public struct ModeChange: Sendable, Hashable, CustomStringConvertible {
    /// The router.
    public let router: String
    /// The tier at which calls began before.
    public let from: String
    /// The tier at which they begin now.
    public let to: String
    /// Why: what the last call met there; `Reason.completed` for the way back up.
    public let reason: Reason
    /// When.
    public let at: Instant

    /// One line: the router, both tiers and the reason.
    public var description: String { "\(router): \(from) → \(to) (\(reason))" }
}
