/// Which replicas may go on with a conversation.
///
/// Another major version of a model may understand the same prompt in another way, so a conversation that began with one
/// never goes on with another by failover. Whoever wants that begins a new conversation.
public struct VersionGate: Sendable, Hashable {
    /// The model with which the conversation began; nil: it is not known, and not looked at.
    public let model: String?
    /// The version with which it began; nil: it is not known.
    public let version: ModelVersion?

    /// The gate of a conversation that began with this model.
    public init(model: String?, version: ModelVersion?) {
        self.model = model
        self.version = version
    }

    /// The gate of a session.
    public init(_ session: Session) { self.init(model: session.model, version: session.version) }

    /// Whether a replica with this model may go on with the conversation.
    ///
    /// An unknown version goes on with an unknown one only: it might be any.
    ///
    /// - Parameters:
    ///   - model: The replica's model; nil: it is not known, and not looked at.
    ///   - version: Its version; nil: it is not known.
    public func allows(model: String?, version: ModelVersion?) -> Bool {
        if let model, let wanted = self.model, model != wanted { return false }
        return version?.major == self.version?.major
    }

    /// Whether a member may go on with the conversation.
    public func allows(_ member: Member) -> Bool { allows(model: member.model, version: member.version) }
}
