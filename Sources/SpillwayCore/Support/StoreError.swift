/// Why a store cannot keep what it is given, or has not what it is asked for.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kinds there are.
    public enum Kind: String, Sendable, Hashable {
        /// What it was given is nothing that it keeps.
        case invalid
        /// There is no room left.
        case full
        /// It may only be read.
        case readOnly
        /// What is there is something else, or damaged.
        case corrupt
        /// Others have it open, or kept it for too long.
        case inUse
        /// It was closed.
        case closed
        /// Anything else.
        case other
    }

    /// What is wrong.
    public let kind: Kind
    /// Where, and what the system says.
    public let description: String

    /// An error.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
