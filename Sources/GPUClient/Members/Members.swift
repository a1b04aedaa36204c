public import SpillwayCore

/// The members that a fleet wants, changed live.
///
/// A set that cannot be is refused as a whole, and the last good one stays. So is an empty one: a file that was cut off, or a name
/// that resolves to nothing, must not take the whole fleet away.
public final class Members: Sendable {
    /// The most members.
    public let capacity: Int
    private let wanted = Locked([Member]())

    /// No members yet.
    ///
    /// - Parameter capacity: The most members, 1 to 100,000; 10,000 by default.
    /// - Throws: `ConfigurationError` for another capacity.
    public init(capacity: Int = 10_000) throws(ConfigurationError) {
        try Validation("Members").count(capacity, "capacity", in: 1...100_000)
        self.capacity = capacity
    }

    /// The members, sorted by name.
    public var all: [Member] { wanted.withLock { $0 } }

    /// Takes over a set of members.
    ///
    /// - Parameters:
    ///   - members: All that are wanted from now on, in any order.
    ///   - allowingNone: Whether there may be none; not by default.
    /// - Returns: What is another than before; two callers at once get changes that follow each other.
    /// - Throws: `ConfigurationError` for a member that cannot be, a name that is there twice, too many or none; then the old set
    ///   stays.
    @discardableResult
    public func update(
        _ members: [Member], allowingNone: Bool = false
    ) throws(ConfigurationError) -> MemberChanges {
        let check = Validation("Members")
        try check.require(
            members.count <= capacity && (allowingNone || !members.isEmpty), "members", members.count,
            "from \(allowingNone ? 0 : 1) to \(capacity)")
        var names: Set<String> = []
        for member in members {
            try member.validate()
            try check.require(
                names.insert(member.name).inserted, "members", "'\(member.name)' twice", "of one name each")
        }
        let sorted = members.sorted { $0.name < $1.name }
        return wanted.withLock { wanted in
            let changes = MemberChanges.between(wanted, sorted)
            wanted = sorted
            return changes
        }
    }

    /// Asks `source` again and again, and takes over what it says, until the task is cancelled.
    ///
    /// An answer that cannot be read, or is refused, leaves the members as they are, and so does a source that fails.
    ///
    /// - Parameters:
    ///   - source: Who knows the members.
    ///   - interval: How long to wait after an answer, at least 1 ms; 5 s by default. It is lengthened by up to a fifth at random.
    ///   - time: How to wait; the system's time by default.
    ///   - random: Where the jitter comes from; the system by default.
    ///   - report: Told of every answer: what changed, or why nothing did.
    /// - Throws: `ConfigurationError` for another interval.
    public func follow(
        _ source: any MemberSource, every interval: Duration = .seconds(5), time: any TimeSource = SystemTime(),
        random: RandomSource = .system, report: @Sendable (Result<MemberChanges, any Error>) async -> Void
    ) async throws(ConfigurationError) {
        try Validation("Members").duration(interval, "interval", atLeast: .milliseconds(1))
        while !Task.isCancelled {
            let answer: Result<MemberChanges, any Error>
            do {
                answer = .success(try update(try await source.members()))
            } catch {
                answer = .failure(error)
            }
            if Task.isCancelled { return }
            await report(answer)
            let jitter = random.next(through: UInt64(interval.clampedNanoseconds / 5))
            try? await time.sleep(until: time.now.advanced(by: interval + .nanoseconds(Int64(jitter))))
        }
    }
}
