#if HTTPClientSupport
internal import Spillway

extension FleetWatch {
    /// A source from which a member is gone only after several answers in a row without it.
    final class Absences: MemberSource {
        private let source: any MemberSource
        private let fleet: Fleet
        private let most: Int
        private let counts = Locked<[String: Int]>([:])

        /// The members of `fleet` that `source` knows, and those that fewer than `most` answers in a row lacked.
        init(of fleet: Fleet, in source: any MemberSource, most: Int) {
            self.source = source
            self.fleet = fleet
            self.most = most
        }

        func members() async throws -> [Member] {
            let answer = try await source.members()
            // To know nobody is no answer: it is refused.
            guard !answer.isEmpty else { return answer }
            let names = Set(answer.map(\.name)), absent = fleet.members.filter { !names.contains($0.name) }
            return answer
                + counts.withLock { counts in
                    let before = counts
                    counts = [:]
                    for member in absent { counts[member.name] = before[member.name, default: 0] + 1 }
                    return absent.filter { counts[$0.name, default: 0] < most }
                }
        }
    }
}
#endif
