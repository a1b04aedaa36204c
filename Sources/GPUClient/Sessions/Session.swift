package import SpillwayCore

/// What is known of a conversation, so that its next turn finds the replica that has its KV cache; never what was said.
public struct Session: Sendable, Hashable {
    /// 1 to 200 bytes.
    public let id: String
    /// The replica that had the last turn.
    public var replica: String
    /// The model with which it began.
    public var model: String
    /// The version with which it began; nil: it is not known.
    public var version: ModelVersion?
    /// The zone of the replica; nil: it is not known.
    public var zone: String?
    /// When it began: nanoseconds since 1970.
    public let started: Int64
    /// When its last turn began: nanoseconds since 1970.
    public var lastUsed: Int64
    /// How many turns it has had.
    public var turns: Int
    /// The hash of the first blocks of its prompt; 0: it is not known.
    public var prefixHead: UInt64

    /// A conversation with its first turn.
    public init(
        id: String, replica: String, model: String, version: ModelVersion? = nil, zone: String? = nil, started: Int64,
        prefixHead: UInt64 = 0
    ) {
        self.id = id
        self.replica = replica
        self.model = model
        self.version = version
        self.zone = zone
        self.started = started
        lastUsed = started
        turns = 1
        self.prefixHead = prefixHead
    }

    /// Counts a turn on a replica.
    ///
    /// Model and version stay those with which it began.
    public mutating func turn(on replica: String, zone: String? = nil, at now: Int64) {
        self.replica = replica
        self.zone = zone
        lastUsed = max(lastUsed, now)
        if turns < .max { turns += 1 }
    }
}

extension Session {
    /// The most bytes that a name in it may have.
    static let mostBytes = 200

    /// Refuses what no store keeps.
    package func validate() throws(StoreError) {
        for (value, field, least) in [
            (id, "id", 1), (replica, "replica", 0), (model, "model", 0), (zone ?? "", "zone", 0),
        ] {
            let bytes = value.utf8.count
            guard bytes >= least, bytes <= Self.mostBytes else {
                throw StoreError(
                    .invalid, "\(field) has \(bytes) bytes, but may have \(least) to \(Self.mostBytes)")
            }
        }
        guard turns >= 0 else { throw StoreError(.invalid, "turns is \(turns), but must be at least 0") }
    }
}
