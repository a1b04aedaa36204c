#if HTTPClientSupport
public import Spillway

/// What one attempt at a stream took, and where.
public struct StreamCost: Sendable, Hashable {
    /// The target that the policy chose; nil when it has none.
    public let target: String?
    /// The model that answered; empty where the provider does not say.
    public let model: String
    /// What it took.
    public let usage: Usage
}
#endif
