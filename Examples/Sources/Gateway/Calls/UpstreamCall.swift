import AsyncHTTPClient
import CostLedger
import NIOCore
import Spillway
import SpillwayHTTPClient
import Synchronization

/// Sends one request to whatever place an attempt has chosen.
final class UpstreamCall: Sendable {
    /// The most bytes of a whole answer.
    static let answerLimit = 16 << 20

    let http: HTTPClient
    let request: ModelRequest
    let route: Route
    /// Who pays; nil: nothing is priced.
    let bill: Bill?
    /// Whom the call is for; nil: nobody in particular.
    let tenant: String?
    /// What the answer must be like.
    let needs: Call.Needs
    /// The conversation that it goes on with; nil: none that is kept.
    let conversation: Sessions.Conversation?
    /// Puts the call off; nil: it may not be.
    let later: (@Sendable () async throws -> Job)?
    private let begun = Atomic(0)
    private let failure = Mutex<UpstreamError?>(nil)
    /// Where its attempts have been among the replicas of each fleet.
    private let visits: [String: FleetVisits]
    private let replicas = Mutex((asked: String?.none, answered: Stay?.none, fleets: Set<String>()))

    /// An answer of a replica.
    struct Stay: Sendable {
        let fleet: String
        let member: Member
        /// The model that it was asked for.
        let model: String
    }

    /// One request by one route.
    init(
        http: HTTPClient, request: ModelRequest, route: Route, bill: Bill?, tenant: String?,
        needs: Call.Needs = Call.Needs(), conversation: Sessions.Conversation? = nil,
        later: (@Sendable () async throws -> Job)? = nil
    ) {
        self.http = http
        self.request = request
        self.route = route
        self.bill = bill
        self.tenant = tenant
        self.needs = needs
        self.conversation = conversation
        self.later = later
        let prefix = route.fleets.isEmpty ? nil : request.prefix
        let visits = route.fleets.map { fleet in
            (fleet, FleetVisits(prefix: prefix, session: conversation?.stored[fleet]?.session))
        }
        self.visits = Dictionary(uniqueKeysWithValues: visits)
    }

    /// Attempts that have begun, hedges too.
    var attempts: Int { begun.load(ordering: .relaxed) }

    /// The last failure of an upstream, which a tier that has no answer does not hide.
    var lastFailure: UpstreamError? { failure.withLock { $0 } }

    /// The replica that was asked last; nil: none was.
    var lastReplica: String? { replicas.withLock { $0.asked } }

    /// The last answer that came from a replica; nil: none did.
    var lastStay: Stay? { replicas.withLock { $0.answered } }

    /// What the gates are told: asking a model again is safe, and the budget bounds its price.
    var call: Call {
        Call(
            tokens: request.tokens, key: tenant, payer: bill, idempotency: .idempotent,
            streams: request.isStreamed, needs: needs)
    }

    /// Who has answered in which tier, and what it has cost so far.
    func origin(
        _ upstream: String?, _ model: String?, _ mode: ServiceMode?, _ steps: [ServiceStep], replica: String? = nil
    ) -> Origin {
        let now = SystemTime().now
        return Origin(
            upstream: upstream, replica: replica, model: model, attempts: attempts, mode: mode, steps: steps,
            cost: bill?.spent,
            remaining: bill?.remaining(at: now))
    }

    /// Asks for a whole answer, and remembers how that failed; says by which replica it came, if the place has some.
    func whole(
        _ attempt: Attempt, at place: Route.Place
    ) async throws(UpstreamError) -> (answer: WholeAnswer, replica: String?) {
        do throws(UpstreamError) {
            let visit = try visit(attempt, at: place)
            return (try await fetch(attempt, from: place, visit), visit?.member.name)
        } catch {
            note(error)
            throw error
        }
    }

    /// Asks for a stream and passes it on from the route's commit point to its end; remembers how that failed.
    func stream(
        _ attempt: Attempt, at place: Route.Place, _ relay: StreamRelay, to client: Outlet
    ) async throws(UpstreamError) {
        do throws(UpstreamError) {
            try await pass(attempt, from: place, relay, to: client)
        } catch {
            note(error)
            throw error
        }
    }

    private func note(_ error: UpstreamError) {
        if error.outcome.cause != .cancelled { failure.withLock { $0 = error } }
    }

    /// Chooses a replica; nil: the place has none.
    private func visit(_ attempt: Attempt, at place: Route.Place) throws(UpstreamError) -> FleetVisit? {
        guard let fleet = place.upstream.fleet, let visits = visits[fleet.name] else { return nil }
        let now = SystemTime().now
        if place.upstream.name != route.entrance?.name, replicas.withLock({ $0.fleets.insert(fleet.name).inserted }) {
            place.upstream.capacity?.came(at: now)
        }
        let visit = try visits.begin(at: fleet, for: attempt, at: now)
        replicas.withLock { $0.asked = visit.member.name }
        return visit
    }

    private func answered(_ visit: FleetVisit?, at place: Route.Place) {
        guard let visit else { return }
        let stay = Stay(fleet: visit.fleet.name, member: visit.member, model: place.asked(for: request.model))
        replicas.withLock { $0.answered = stay }
    }

    private func fetch(
        _ attempt: Attempt, from place: Route.Place, _ visit: FleetVisit?
    ) async throws(UpstreamError) -> WholeAnswer {
        begun.add(1, ordering: .relaxed)
        do throws(UpstreamError) {
            let asking: @Sendable () async throws(UpstreamError) -> WholeAnswer = { () async throws(UpstreamError) in
                try await self.ask(attempt, place, visit)
            }
            let answer = if let visit { try await visit.untilHandedOver(asking) } else { try await asking() }
            attempt.used(answer.usage)
            visit?.settle(.success, usage: answer.usage, at: SystemTime().now)
            answered(visit, at: place)
            return answer
        } catch {
            // A large one would be as large again, and it cost as much as a good one.
            if error.outcome.cause != .unacceptable { attempt.failed(with: error) }
            visit?.fail(attempt, with: error, at: SystemTime().now)
            throw error
        }
    }

    private func ask(
        _ attempt: Attempt, _ place: Route.Place, _ visit: FleetVisit?
    ) async throws(UpstreamError) -> WholeAnswer {
        do {
            let response = try await send(attempt, to: place, visit)
            let body = try await response.body.collect(upTo: Self.answerLimit)
            return try WholeAnswer(
                body, contentType: response.headers.first(name: "content-type") ?? "application/json",
                promptTokens: Int(request.tokens.input))
        } catch is NIOTooManyBytesError {
            throw UpstreamError("an answer of more than \(Self.answerLimit) bytes", .neutral(.unacceptable))
        } catch {
            throw .from(transport: error)
        }
    }

    private func pass(
        _ attempt: Attempt, from place: Route.Place, _ relay: StreamRelay, to client: Outlet
    ) async throws(UpstreamError) {
        let visit = try visit(attempt, at: place)
        begun.add(1, ordering: .relaxed)
        try await relay.run(attempt, at: visit) { [self] prefill in
            let response = try await send(
                attempt, to: place, visit, after: try prefill.map { try $0.styled(for: place.upstream) })
            let type = response.headers.first(name: "content-type") ?? ""
            guard type.hasPrefix("text/event-stream") else {
                throw UpstreamError.malformed("an answer of type '\(type)' instead of a stream")
            }
            return response.body
        } to: { [self] pieces in
            let model = relay.journal.model.isEmpty ? place.asked(for: request.model) : relay.journal.model
            try await client.send(pieces) {
                origin(place.upstream.name, model, attempt.mode, attempt.steps, replica: visit?.member.name)
            }
        }
        answered(visit, at: place)
    }

    /// The answer's head.
    ///
    /// - Throws: ``UpstreamError`` for any status but success, and the client's own errors.
    private func send(
        _ attempt: Attempt, to place: Route.Place, _ visit: FleetVisit?, after prefill: Prefill? = nil
    ) async throws -> HTTPClientResponse {
        let path = request.kind.path(under: place.upstream.apiPath)
        var outgoing = HTTPClientRequest(url: visit?.url(path) ?? (place.upstream.url ?? "") + path)
        outgoing.method = .POST
        outgoing.headers = ["content-type": "application/json"]
        outgoing.headers.add(name: "accept", value: request.isStreamed ? "text/event-stream" : "application/json")
        if let key = place.upstream.key { outgoing.headers.add(name: "authorization", value: "Bearer \(key)") }
        visit?.ask(&outgoing)
        let limit = route.ladder?.maxOutput(attempt.mode)
        outgoing.body = .bytes(try request.body(asking: place.model, limitedTo: limit, after: prefill))
        try await storeHold()
        let sent = SystemTime().now
        let response = try await execute(outgoing, telling: place.upstream.propagates ? CallContext.current : nil)
        visit?.learn(from: response, at: SystemTime().now)
        switch response.status.code {
        case 200..<300:
            place.upstream.learn(from: response, sent: sent)
            return response
        case 400...:
            let failure = await UpstreamError.from(response)
            place.upstream.learn(from: response, failure.body, sent: sent)
            throw failure
        default: throw UpstreamError.malformed("an answer with status \(response.status.code)")
        }
    }

    /// Returns when what is held for the call may be relied on, also after a crash.
    private func storeHold() async throws(UpstreamError) {
        do throws(StoreError) {
            try await bill?.account.ledger.storedBeforeDispatch()
        } catch {
            throw UpstreamError("the ledger cannot store what is held: \(error)", .neutral(.rejected))
        }
    }

    /// Sends a request with what is left of `context`, and takes back what the upstream did not spend of its loan.
    private func execute(
        _ request: HTTPClientRequest, telling context: CallContext?
    ) async throws -> HTTPClientResponse {
        // Half, so that something remains for attempts beside this one.
        let loan = context?.budgets.lend(share: 0.5)
        var request = request
        for (name, value) in context?.headers(at: SystemTime().now, loan: loan) ?? [] {
            request.headers.replaceOrAdd(name: name, value: value)
        }
        do {
            // The policy bounds the time, and cancels.
            let response = try await http.execute(request, deadline: .distantFuture)
            loan?.settle(spentHeader: response.headers.first(name: CallContext.spentHeader))
            return response
        } catch {
            let failure = UpstreamError.from(transport: error)
            // Nobody knows what another upstream that did not answer has done: its loan stays spent.
            if failure.outcome.cause == .connect { loan?.cancel() }
            throw failure
        }
    }
}

extension Prefill {
    /// The same in the way that `upstream` understands.
    ///
    /// - Throws: ``UpstreamError`` for one that cannot go on with an answer; ``PrefillGate`` keeps calls from it.
    fileprivate func styled(for upstream: Upstream) throws(UpstreamError) -> Prefill {
        guard let style = upstream.prefill else {
            throw UpstreamError("the upstream cannot go on with an answer", .neutral(.unacceptable))
        }
        return Prefill(text: text, tokens: tokens, style: style)
    }
}
