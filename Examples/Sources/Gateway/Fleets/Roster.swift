import Spillway
import Synchronization

/// Who knows the replicas of a fleet, and why it does not, where it does not.
final class Roster: MemberSource {
    private let source: any MemberSource
    private let failure = Mutex<String?>(nil)

    /// The replicas that `source` knows.
    init(_ source: any MemberSource) { self.source = source }

    /// Why the list could not be had, or not be used, the last time; nil: it could.
    var problem: String? { failure.withLock { $0 } }

    /// All replicas, as they are now.
    func members() async throws -> [Member] {
        do {
            let members = try await source.members()
            failure.withLock { $0 = nil }
            return members
        } catch {
            if !(error is CancellationError) { refused("\(error)") }
            throw error
        }
    }

    /// The list is of no use.
    func refused(_ problem: String) { failure.withLock { $0 = problem } }

    /// Gives a fleet that has none its replicas, if they are known within `limit`; else it stays without.
    func fill(_ fleet: Fleet, within limit: Duration) async {
        guard fleet.members.isEmpty else { return }
        let found = await withTaskGroup(of: [Member]?.self) { group in
            group.addTask { try? await self.members() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let found else { return problem == nil ? refused("nobody has answered within \(limit)") : () }
        do {
            // The watch tells of those for whom there is no place.
            try fleet.update(found.firstByName(Fleet.capacity), at: SystemTime().now)
        } catch {
            refused("\(error)")
        }
    }
}

extension [Member] {
    /// As many as a fleet takes that has none, the first by name; the order stays where it takes all.
    func firstByName(_ most: Int) -> [Member] {
        count > most ? Array(sorted { $0.name < $1.name }.prefix(most)) : self
    }
}
