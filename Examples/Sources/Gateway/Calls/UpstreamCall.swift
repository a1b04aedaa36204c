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
    private let begun = Atomic(0)

    /// One request by one route.
    init(http: HTTPClient, request: ModelRequest, route: Route, bill: Bill?) {
        self.http = http
        self.request = request
        self.route = route
        self.bill = bill
    }

    /// Attempts that have begun, hedges too.
    var attempts: Int { begun.load(ordering: .relaxed) }

    /// What the gates are told: asking a model again is safe, and the budget bounds its price.
    var call: Call {
        Call(tokens: request.tokens, payer: bill, idempotency: .idempotent, streams: request.isStreamed)
    }

    /// Who has answered, and what it has cost so far.
    func origin(_ upstream: String?, _ model: String?) -> Origin {
        let now = SystemTime().now
        return Origin(
            upstream: upstream, model: model, attempts: attempts, cost: bill?.spent,
            remaining: bill?.remaining(at: now))
    }

    /// The place that an attempt has chosen.
    func place(_ attempt: Attempt) -> Route.Place { route.places[attempt.target!]! }

    /// Asks for a whole answer.
    func whole(_ attempt: Attempt) async throws(UpstreamError) -> WholeAnswer {
        begun.add(1, ordering: .relaxed)
        do {
            let response = try await send(to: place(attempt))
            let body = try await response.body.collect(upTo: Self.answerLimit)
            let answer = try WholeAnswer(
                body, contentType: response.headers.first(name: "content-type") ?? "application/json",
                promptTokens: Int(request.tokens.input))
            attempt.used(answer.usage)
            return answer
        } catch is NIOTooManyBytesError {
            // It would be as large again, and it cost as much as a good one.
            throw UpstreamError("an answer of more than \(Self.answerLimit) bytes", .neutral(.unacceptable))
        } catch {
            let failure = UpstreamError.from(transport: error)
            attempt.failed(with: failure)
            throw failure
        }
    }

    /// Asks for a stream and passes it on from the route's commit point to its end.
    func stream(_ attempt: Attempt, _ relay: StreamRelay, to client: Outlet) async throws(UpstreamError) {
        begun.add(1, ordering: .relaxed)
        let place = place(attempt)
        try await relay.run(attempt) { [self] prefill in
            let response = try await send(to: place, after: try prefill.map { try $0.styled(for: place.upstream) })
            let type = response.headers.first(name: "content-type") ?? ""
            guard type.hasPrefix("text/event-stream") else {
                throw UpstreamError.malformed("an answer of type '\(type)' instead of a stream")
            }
            return response.body
        } to: { [self] pieces in
            let model = relay.journal.model.isEmpty ? place.asked(for: request.model) : relay.journal.model
            try await client.send(pieces) { origin(place.upstream.name, model) }
        }
    }

    /// The answer's head.
    ///
    /// - Throws: ``UpstreamError`` for any status but success, and the client's own errors.
    private func send(to place: Route.Place, after prefill: Prefill? = nil) async throws -> HTTPClientResponse {
        var outgoing = HTTPClientRequest(url: place.upstream.url + request.kind.path)
        outgoing.method = .POST
        outgoing.headers = ["content-type": "application/json"]
        outgoing.headers.add(name: "accept", value: request.isStreamed ? "text/event-stream" : "application/json")
        if let key = place.upstream.key { outgoing.headers.add(name: "authorization", value: "Bearer \(key)") }
        outgoing.body = .bytes(try request.body(asking: place.model, after: prefill))
        try await storeHold()
        let response = try await execute(outgoing, telling: place.upstream.propagates ? CallContext.current : nil)
        switch response.status.code {
        case 200..<300: return response
        case 400...: throw await UpstreamError.from(response)
        default: throw UpstreamError.malformed("an answer with status \(response.status.code)")
        }
    }

    /// Returns when what is held for the call may be relied on, also after a crash.
    private func storeHold() async throws(UpstreamError) {
        do throws(LedgerStoreError) {
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
