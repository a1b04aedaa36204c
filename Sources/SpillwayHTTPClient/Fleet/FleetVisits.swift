#if HTTPClientSupport
public import Spillway

/// Where the attempts of one call have been, so that each goes where none has failed and none is under way.
///
/// One for each call, which may come to several fleets.
public final class FleetVisits: Sendable {
    private struct Place: Hashable {
        let fleet: String
        let member: String
    }

    private struct State {
        var failed: Set<Place> = []
        /// How many attempts are at which places.
        var underWay: [Place: Int] = [:]
        /// With which model and version it began in each fleet: no further attempt goes on with another major version.
        var began: [String: VersionGate] = [:]
    }

    /// How the call's prompt begins; nil: nothing is known of it.
    public let prefix: Prefix?
    /// The conversation that the call goes on with; nil: none.
    public let session: Session?
    private let state = Locked(State())

    /// A call that has been nowhere.
    ///
    /// - Parameters:
    ///   - prefix: How its prompt begins; by default nothing is known of it.
    ///   - session: The conversation that it goes on with; none by default.
    public init(prefix: Prefix? = nil, session: Session? = nil) {
        self.prefix = prefix
        self.session = session
    }

    /// Chooses a replica for an attempt.
    ///
    /// When the call has failed everywhere, it is any one that is well: a poor chance is better than none.
    ///
    /// - Parameters:
    ///   - fleet: Whose.
    ///   - attempt: As the policy gave it; the tokens of its call are what the replica must take, and its report names the replica.
    ///   - now: The time.
    /// - Returns: The attempt's stay there, to be settled when the attempt has ended.
    /// - Throws: ``UpstreamError``, neutral and with the fleet's `Rejection` beneath it, for want of a replica.
    public func begin(at fleet: Fleet, for attempt: Attempt, at now: Instant) throws(UpstreamError) -> FleetVisit {
        do throws(Rejection) {
            // As one step, or two attempts that begin together might go to one place.
            let visit = try state.withLock { state throws(Rejection) in try enter(fleet, attempt, &state, at: now) }
            attempt.goes(to: visit.member.name)
            return visit
        } catch {
            throw UpstreamError(
                "no replica takes the call: \(error)", .neutral(.rejected, retryAfter: error.retryAfter),
                underlying: error)
        }
    }

    private func enter(
        _ fleet: Fleet, _ attempt: Attempt, _ state: inout State, at now: Instant
    ) throws(Rejection) -> FleetVisit {
        let failed = state.failed.filter { $0.fleet == fleet.name }.map(\.member)
        let underWay = state.underWay.keys.filter { $0.fleet == fleet.name }.map(\.member)
        let versions = session == nil ? state.began[fleet.name] : nil
        func visit(avoiding avoided: [String]) throws(Rejection) -> FleetVisit {
            let placement = try fleet.place(
                attempt.call, prefix: prefix, session: session, versions: versions, avoiding: avoided, at: now)
            return FleetVisit(fleet, placement, self, isLast: attempt.isLast)
        }
        let entered: FleetVisit
        do throws(Rejection) {
            entered = try visit(avoiding: failed + underWay)
        } catch {
            guard !failed.isEmpty, underWay.isEmpty else { throw error }
            entered = try visit(avoiding: [])
        }
        let member = entered.member
        if session == nil, versions == nil {
            state.began[fleet.name] = VersionGate(model: member.model, version: member.version)
        }
        state.underWay[Place(fleet: fleet.name, member: member.name), default: 0] += 1
        return entered
    }

    /// An attempt is no longer there.
    func left(_ member: String, of fleet: String, failed: Bool) {
        let place = Place(fleet: fleet, member: member)
        state.withLock { state in
            if failed { state.failed.insert(place) }
            guard let count = state.underWay[place] else { return }
            state.underWay[place] = count > 1 ? count - 1 : nil
        }
    }
}

extension UpstreamError {
    /// The refusal of a gate or a fleet because of which no attempt was made; nil: it was made.
    public var rejection: Rejection? { underlying as? Rejection }
}
#endif
