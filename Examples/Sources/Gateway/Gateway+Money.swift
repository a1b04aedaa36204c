import CostLedger
import Foundation
import Hummingbird
import Spillway
import SpillwayHTTPClient

extension Gateway {
    /// What the client is told of a call that nobody pays for; nil: that was not why it failed.
    func unpaid(
        _ error: PolicyError<UpstreamError>, _ last: UpstreamError?, _ report: CallReport, _ call: UpstreamCall
    ) -> APIError? {
        guard let bill = call.bill else { return nil }
        if let last {
            // A real failure is not hidden by a retry that nobody paid for.
            if last.outcome.cause == .rejected, last.rejection == nil {
                // What was held could not be stored, so that the upstream was not asked.
                metrics.refusedByLedger("\(Reason.ledgerUnavailable)")
                return .ledgerUnavailable
            }
            guard last.outcome.cause == .spendLimit else { return nil }
            metrics.refusedByLedger("cut")
            // What it held is settled by now: the limit that stopped it has nothing left.
            return refusal(call, bill, needs: Money(nanodollars: 1), nil)
        }
        guard case .rejected(let rejection, _) = error else { return nil }
        let own = report.rejections.filter { "\($0.gate)" == bill.account.ledger.name }
        guard let own = own.first(where: { $0.reason == .spendLimit }) ?? own.first else { return nil }
        let reason = "\(own.reason)"
        switch own.reason {
        case .spendLimit:
            guard let needed = estimate(call, bill) else { return nil }
            // Where a place is only kept from answering by something else, that may soon be over.
            let refusal = refusal(call, bill, needs: needed, own.retryAfter)
            guard rejection.reason == .spendLimit || refusal.status == .paymentRequired else { return nil }
            metrics.refusedByLedger(reason)
            return refusal
        case .unpriced where rejection.reason == .unpriced:
            metrics.refusedByLedger(reason)
            return APIError(
                .badRequest, "No price is known for the model '\(call.request.model)' or for what is asked of it",
                param: "model", code: reason)
        case .ledgerUnavailable:
            metrics.refusedByLedger(reason)
            return .ledgerUnavailable
        default: return nil
        }
    }

    private func refusal(_ call: UpstreamCall, _ bill: Bill, needs needed: Money, _ hint: Duration?) -> APIError {
        let others = call.route.places.values.compactMap(\.account).flatMap(\.scopes)
        var seen: Set<Scope> = []
        return SpendRefusal(
            bill, needs: needed, others: others.filter { seen.insert($0).inserted }, hint: hint, at: SystemTime().now,
            unix: Int64(Date().timeIntervalSince1970 * 1e9)
        ).error
    }

    /// What the call costs at most where that is least.
    private func estimate(_ call: UpstreamCall, _ bill: Bill) -> Money? {
        let now = SystemTime().now
        return call.route.places.values.compactMap { place in
            try? (place.isWildcard ? bill.account : place.account)?.estimate(call.call, at: now)
        }.min()
    }

    /// Returns when all that calls have cost is stored, or cannot be.
    func storeBooks() async {
        do throws(StoreError) {
            try await treasury?.ledger?.stored()
        } catch {
            logger.error("the ledger cannot store what calls have cost: \(error)")
        }
    }

    /// One line for a call that somebody pays for.
    func log(_ call: UpstreamCall, _ report: CallReport) {
        guard let bill = call.bill else { return }
        logger.info(
            "call",
            metadata: [
                "operation": "\(bill.number)", "model": "\(call.route.name)", "ending": "\(report.ending)",
                "attempts": "\(call.attempts)", "cost": "\(bill.spent.digits)",
                "scopes": .array(bill.account.scopes.map { "\($0)" }),
            ])
    }

    /// The books, for the operator.
    func books(_ request: Request) throws -> Response {
        guard let treasury else { throw APIError(.notFound, "There is no ledger", code: "no_ledger") }
        try treasury.checkOperator(request.headers)
        guard let ledger = treasury.ledger else { throw APIError(.notFound, "There is no ledger", code: "no_ledger") }
        let kind = try request.uri.queryParameters["kind"].map { text in
            guard let kind = Scope.Kind(text) else {
                throw APIError(.badRequest, "kind: must be a kind of scope, such as tenant", param: "kind")
            }
            return kind
        }
        let page = try LedgerPage(ledger, kind, at: SystemTime().now).json()
        return Response(
            status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(data: page)))
    }
}

extension APIError {
    /// What costs something cannot be stored.
    static var ledgerUnavailable: APIError {
        var error = APIError(
            .serviceUnavailable, "The ledger cannot store what calls cost", type: "overloaded_error",
            code: "ledger_unavailable")
        error.headers[.retryAfter] = "1"
        return error
    }
}
