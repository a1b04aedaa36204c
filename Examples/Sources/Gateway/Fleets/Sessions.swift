import Foundation
import Logging
import Spillway
import Synchronization

/// Keeps each conversation with its replica, and with the major version of the model with which it began.
///
/// No call fails because of the store: where a session cannot be read the call goes on as if it had none.
final class Sessions: Sendable {
    /// A conversation as it stood when a call of it came.
    struct Conversation: Sendable {
        fileprivate let id: String
        fileprivate let tenant: String?
        /// By the names of the fleets that the call may come to, each of which has its own of it.
        let stored: [String: StoredSession]
    }

    private let store: any SessionStore
    /// In nanoseconds.
    private let keeps: Int64
    private let metrics: Metrics
    private let logger: Logger
    private let isFailing = Atomic(false)

    /// Sessions in `store`; nil: in memory alone.
    init(
        _ configuration: Configuration.Sessions, store: (any SessionStore)?, metrics: Metrics, logger: Logger
    ) throws(ConfigurationError) {
        self.store = if let store { store } else { try MemorySessionStore(capacity: configuration.most) }
        keeps = Int64(configuration.keeps / .nanoseconds(1))
        self.metrics = metrics
        self.logger = logger
    }

    /// What stores call a tenant's session in a fleet: a hash, because clients' names are nobody else's to read.
    static func key(_ id: String, of tenant: String?, in fleet: String) -> String {
        // With their lengths, so that no two of them run together.
        KeyHash(of: [tenant ?? "", fleet, id].map { "\($0.utf8.count):\($0)" }.joined()).text
    }

    /// The conversation that a tenant calls `id`.
    func find(_ id: String, of tenant: String?, in fleets: [String]) async -> Conversation {
        var stored: [String: StoredSession] = [:]
        for fleet in fleets {
            do throws(StoreError) {
                stored[fleet] = try await store.get(Self.key(id, of: tenant, in: fleet), at: Self.now)
            } catch {
                failed("read", error)
            }
        }
        return Conversation(id: id, tenant: tenant, stored: stored)
    }

    /// Writes down that a replica has answered, for a call that asked for `model`.
    func turned(_ conversation: Conversation, at member: Member, of fleet: String, model: String) async {
        var known = conversation.stored[fleet]
        let now = Self.now
        // Other turns may be written at the same time; what is lost when many are is no more than a preference.
        for _ in 0..<4 {
            // It was begun elsewhere meanwhile: where it began counts.
            if let known, !VersionGate(known.session).allows(member) { return }
            var session =
                known?.session
                ?? Session(
                    id: Self.key(conversation.id, of: conversation.tenant, in: fleet), replica: member.name,
                    model: member.model ?? model, version: member.version, zone: member.zone, started: now)
            let before = known.map(\.session.replica)
            if before != nil { session.turn(on: member.name, zone: member.zone, at: now) }
            do throws(StoreError) {
                switch try await store.put(session, replacing: known?.revision, expires: now + keeps, at: now) {
                case .written:
                    metrics.turned(fleet, before == nil ? "began" : before == member.name ? "stayed" : "moved")
                    if isFailing.exchange(false, ordering: .relaxed) { logger.notice("sessions are kept again") }
                    return
                case .conflict(let other): known = other
                }
            } catch {
                return failed("write", error)
            }
        }
    }

    private func failed(_ operation: String, _ error: StoreError) {
        metrics.sessionStoreFailed(operation)
        // Once, and not with every call.
        if !isFailing.exchange(true, ordering: .relaxed) { logger.warning("sessions cannot be kept: \(error)") }
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e9) }
}
