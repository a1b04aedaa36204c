#if HTTPClientSupport
public import AsyncHTTPClient
internal import NIOHTTP1
public import Spillway
internal import Synchronization

/// A call's stay at a replica of a fleet: where it is sent, and what the fleet learns of it.
///
/// ```swift
/// let visit = try fleet.visit(call, at: time.now)
/// var request = HTTPClientRequest(url: visit.url("/v1/chat/completions"))
/// visit.ask(&request)
/// let response = try await client.execute(request, deadline: .distantFuture)
/// visit.learn(from: response, at: time.now)
/// visit.settle(.success, at: time.now)
/// ```
///
/// It is settled once, with how the call ended; what is told later changes nothing. One that is dropped settles itself as neutral.
/// ``StreamRelay`` tells it everything by itself. It may be used from any task.
public final class FleetVisit: Sendable {
    /// The replica's fleet.
    public let fleet: Fleet
    private let placement: Placement
    private let visits: FleetVisits?
    /// Whether the call can go on elsewhere.
    private let canMove: Bool
    /// What was told already.
    private let told = Atomic<UInt8>(0)

    private static let first: UInt8 = 1
    private static let hung: UInt8 = 2
    private static let ended: UInt8 = 4

    init(_ fleet: Fleet, _ placement: consuming Placement, _ visits: FleetVisits? = nil, isLast: Bool = false) {
        self.fleet = fleet
        canMove = !isLast && placement.hasHealth
        self.placement = placement
        self.visits = visits
    }

    deinit {
        if isNew(Self.ended) { visits?.left(member.name, of: fleet.name, failed: false) }
    }

    /// The replica.
    public var member: Member { placement.member }

    /// Where `path`, which begins with a slash, such as `/v1/chat/completions`, lies at the replica.
    public func url(_ path: String) -> String { member.url(path) }

    /// Makes a request ask for the load of the replica, which comes with the answer and costs no scrape.
    public func ask(_ request: inout HTTPClientRequest) {
        request.headers.replaceOrAdd(name: OrcaReport.requestHeader, value: OrcaReport.requestValue)
    }

    /// Tells the fleet the load that the head of an answer says.
    public func learn(from response: HTTPClientResponse, at now: Instant) {
        guard let text = response.headers.first(name: OrcaReport.responseHeader) else { return }
        fleet.report(OrcaReport(text, at: now).load, from: member.name)
    }

    /// Whether the first content has come.
    var hasContent: Bool { told.load(ordering: .relaxed) & Self.first != 0 }

    /// The first content of a stream has come.
    ///
    /// Not of a whole answer, whose first token came long before.
    public func firstContent(at now: Instant) {
        if isNew(Self.first) { placement.firstToken(at: now) }
    }

    /// The first content has not come in time: the call hangs, and the replica is not used until a probe finds it well.
    public func hung(at now: Instant) {
        if isNew(Self.hung) { placement.hung(at: now) }
    }

    /// Has `body` run, once, when the call is to go on elsewhere: the replica is drained beyond its deadline, or dead.
    ///
    /// See `Fleet.handOver(at:)`. ``StreamRelay`` and ``untilHandedOver(time:_:)`` see to it by themselves.
    ///
    /// Never for a call that may not be made again, nor in the last attempt that its policy makes: that one stays to its end. It must
    /// not hold the visit.
    public func whenHandedOver(_ body: @escaping @Sendable () -> Void) {
        if canMove { placement.whenHandedOver(body) }
    }

    /// Gets a whole answer, in a task of its own that is cancelled when the call is to go on elsewhere.
    ///
    /// - Parameters:
    ///   - time: Where the time comes from; the machine by default.
    ///   - body: Gets it.
    /// - Throws: What it threw; when the call is to go on elsewhere, a neutral error after which a policy tries again, if its budget
    ///   has something left.
    public func untilHandedOver<Value: Sendable>(
        time: any TimeSource = .system, _ body: @escaping @Sendable () async throws(UpstreamError) -> Value
    ) async throws(UpstreamError) -> Value {
        guard canMove else { return try await body() }
        let watch = AttemptWatch(nil, deadline: nil, streams: false, time: time, at: time.now)
        whenHandedOver { [weak watch] in watch?.leave() }
        let result = await watch.child { () async -> Result<Value, UpstreamError> in
            do throws(UpstreamError) { return .success(try await body()) } catch { return .failure(error) }
        }
        if case .failure = result, let limit = watch.exceeded { throw .met(limit) }
        return try result.get()
    }

    /// The call has ended.
    ///
    /// - Parameters:
    ///   - outcome: How.
    ///   - usage: What it took. Only what the engine says itself tells how much of the prompt it had kept.
    ///   - now: When.
    public func settle(_ outcome: Outcome, usage: Usage? = nil, at now: Instant) {
        guard isNew(Self.ended) else { return }
        visits?.left(
            member.name, of: fleet.name, failed: outcome.verdict != .success && outcome.cause != .cancelled)
        placement.end(outcome, usage: usage?.source == .provider ? usage : nil, at: now)
    }

    /// The call has failed.
    ///
    /// A limit of the policy that the attempt met counts before the error, which then only says that it was cancelled.
    ///
    /// - Parameters:
    ///   - attempt: As the policy gave it.
    ///   - error: How it failed.
    ///   - now: When.
    public func fail(_ attempt: Attempt, with error: UpstreamError, at now: Instant) {
        fail(error.outcome, attempt.watch?.exceeded, streams: attempt.call.streams, at: now)
    }

    /// The call has failed with `outcome`, or rather met a limit.
    func fail(_ outcome: Outcome, _ limit: TimeLimit?, streams: Bool, usage: Usage? = nil, at now: Instant) {
        if streams, limit == .firstContent || limit == .attempt, !hasContent { hung(at: now) }
        settle(limit?.outcome ?? outcome, usage: usage, at: now)
    }

    /// Notes that something was told; false when it was before.
    private func isNew(_ bit: UInt8) -> Bool {
        let before = told.bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue
        return before & (bit | Self.ended) == 0
    }
}

extension Fleet {
    /// Chooses a replica for a call over HTTP.
    ///
    /// - Parameters:
    ///   - call: Its tokens are what the replica must take.
    ///   - prefix: How its prompt begins; by default nothing is known of it.
    ///   - session: The conversation that it goes on with; none by default.
    ///   - avoided: Names of replicas that it must not go to.
    ///   - now: The time.
    /// - Returns: The call's stay there, to be settled when the call has ended.
    /// - Throws: `Rejection` for want of a replica; nothing was taken.
    public func visit(
        _ call: Call, prefix: Prefix? = nil, session: Session? = nil, avoiding avoided: [String] = [], at now: Instant
    ) throws(Rejection) -> FleetVisit {
        FleetVisit(self, try place(call, prefix: prefix, session: session, avoiding: avoided, at: now))
    }
}
#endif
