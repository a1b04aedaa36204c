/// What is another between two sets of members.
public struct MemberChanges: Sendable, Hashable {
    /// Members that are new.
    public let added: [Member]
    /// Members that are wanted no more: to be drained, and not to be dropped.
    public let removed: [Member]
    /// Members that are wanted as before, but for their weight or what is known of them.
    public let changed: [Change]

    /// A member before and after.
    public struct Change: Sendable, Hashable {
        /// As it was.
        public let from: Member
        /// As it is.
        public let to: Member
    }

    /// Whether nothing changed.
    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }

    /// What is another in `new`, whatever the order of both, each sorted by name.
    ///
    /// A member with another address, model or version is another one: the old is to be drained, and the new to be started.
    public static func between(_ old: [Member], _ new: [Member]) -> MemberChanges {
        let before = Dictionary(old.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        let after = Dictionary(new.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        var added: [Member] = [], removed: [Member] = [], changed: [Change] = []
        for (name, member) in after {
            guard let was = before[name] else {
                added.append(member)
                continue
            }
            if was == member { continue }
            if was.isSame(as: member) {
                changed.append(Change(from: was, to: member))
            } else {
                added.append(member)
                removed.append(was)
            }
        }
        removed += before.values.filter { after[$0.name] == nil }
        return MemberChanges(
            added: added.sorted { $0.name < $1.name }, removed: removed.sorted { $0.name < $1.name },
            changed: changed.sorted { $0.to.name < $1.to.name })
    }
}

extension Member {
    /// Whether it is the same process with the same model, as far as can be told.
    func isSame(as other: Member) -> Bool {
        address == other.address && model == other.model && version == other.version
    }
}
