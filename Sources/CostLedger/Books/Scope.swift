/// One of those that money is counted for, such as a tenant or a session.
public struct Scope: Sendable, Hashable, CustomStringConvertible {
    /// What kinds there are.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
        /// A customer.
        case tenant
        /// A project of a customer.
        case project
        /// An API key.
        case key
        /// A person.
        case user
        /// A model.
        case model
        /// Who runs the model.
        case provider
        /// A conversation, or the run of an agent.
        case session
        /// Anything else.
        case tag

        /// The kind in lower case, such as `tenant`.
        public var description: String {
            switch self {
            case .tenant: "tenant"
            case .project: "project"
            case .key: "key"
            case .user: "user"
            case .model: "model"
            case .provider: "provider"
            case .session: "session"
            case .tag: "tag"
            }
        }

        /// The kind that is called `description`.
        public init?(_ description: some StringProtocol) {
            guard let kind = Kind.allCases.first(where: { $0.description == description }) else { return nil }
            self = kind
        }
    }

    /// What it is.
    public let kind: Kind
    /// Which one of its kind, 1 to 200 bytes.
    public let name: String

    /// A scope.
    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// A customer.
    public static func tenant(_ name: String) -> Scope { Scope(.tenant, name) }
    /// A project of a customer.
    public static func project(_ name: String) -> Scope { Scope(.project, name) }
    /// An API key; not the key itself, which belongs into no book, but its name or hash.
    public static func key(_ name: String) -> Scope { Scope(.key, name) }
    /// A person.
    public static func user(_ name: String) -> Scope { Scope(.user, name) }
    /// A model.
    public static func model(_ name: String) -> Scope { Scope(.model, name) }
    /// Who runs the model.
    public static func provider(_ name: String) -> Scope { Scope(.provider, name) }
    /// A conversation, or the run of an agent.
    public static func session(_ name: String) -> Scope { Scope(.session, name) }
    /// Anything else.
    public static func tag(_ name: String) -> Scope { Scope(.tag, name) }

    /// Kind and name, such as `tenant:acme`.
    public var description: String { "\(kind):\(name)" }
}
