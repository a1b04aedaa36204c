import CostLedger
import Foundation
import Hummingbird
import Spillway

/// Why nobody pays for a call, as its caller may know it.
struct SpendRefusal {
    /// A limit with less left than the call needs.
    private struct Reached {
        let standing: Standing
        /// Whether only calls under way keep the rest, so that it may soon be there again.
        let isHeld: Bool
    }

    private static let soon: Int64 = 3_600_000_000_000

    let error: APIError

    /// Why `bill` cannot pay `needed` more at `now`; `unix` is the wall clock in nanoseconds since 1970.
    ///
    /// - Parameters:
    ///   - others: Scopes that others pay for, too: of them only the kind is told.
    ///   - hint: When to come back, as the ledger has it.
    init(_ bill: Bill, needs needed: Money, others: [Scope], hint: Duration?, at now: Instant, unix: Int64) {
        let own = Self.reached(bill.account.ownStandings(at: now), needed)
        let shared = Self.reached(
            ([Scope.gateway] + others).flatMap { bill.account.ledger.standings(of: $0, at: now) }, needed)
        var fields = HTTPFields()
        if let remaining = bill.remaining(at: now) { fields[.init("x-spillway-remaining")!] = remaining.digits }
        // The one that keeps the caller away for the longest.
        let worst = (own + shared).max { Self.wait($0, needed, unix) < Self.wait($1, needed, unix) }
        guard let worst else {
            // Others have given back meanwhile what they held.
            error = Self.error(
                .tooManyRequests, "The money for this call was held for others", hint ?? .seconds(1), fields)
            return
        }
        let standing = worst.standing
        let isOwn = own.contains { $0.standing == standing }
        var message = Self.name(standing, isOwn: isOwn)
        if isOwn {
            message += " has \(standing.remaining ?? .zero) left, and this call needs \(needed) to go on."
        } else {
            message += " is used up."
        }
        let renews = standing.renews.map { Date(timeIntervalSince1970: Double($0) / 1e9) }
        if worst.isHeld {
            message += " Calls under way hold the rest, and may give some of it back."
        } else if let renews {
            fields[.init("x-spillway-renews")!] = renews.formatted(.iso8601)
            message += " It renews at \(renews.formatted(.iso8601))."
        } else {
            message += " It does not renew."
        }
        let wait = Self.wait(worst, needed, unix)
        let isSoon = wait <= Self.soon
        error = Self.error(
            isSoon ? .tooManyRequests : .paymentRequired, message, isSoon ? .nanoseconds(max(1, wait)) : nil, fields)
    }

    private static func reached(_ standings: [Standing], _ needed: Money) -> [Reached] {
        standings.compactMap { standing in
            guard let hard = standing.hard, standing.taken + needed > hard else { return nil }
            return Reached(standing: standing, isHeld: standing.taken - standing.balance.held + needed <= hard)
        }
    }

    /// Nanoseconds after which it may be another matter; the most for never.
    private static func wait(_ reached: Reached, _ needed: Money, _ unix: Int64) -> Int64 {
        if reached.isHeld { return 1_000_000_000 }
        guard let hard = reached.standing.hard, needed <= hard, let renews = reached.standing.renews else {
            return .max
        }
        return max(1, renews - unix)
    }

    private static func name(_ standing: Standing, isOwn: Bool) -> String {
        let whose = standing.scope == .gateway ? "gateway" : "\(standing.scope.kind)"
        let span =
            switch standing.window {
            case .total: "in total"
            case .rolling(let span, _): "in any \(span.components.seconds) seconds"
            default: "per \(standing.window)"
            }
        let amount = isOwn ? standing.hard.map { " of \($0)" } ?? "" : ""
        return "The \(whose)'s limit\(amount) \(span)"
    }

    private static func error(
        _ status: HTTPResponse.Status, _ message: String, _ wait: Duration?, _ fields: HTTPFields
    ) -> APIError {
        var error = APIError(status, message, type: "insufficient_quota", code: "insufficient_quota")
        error.headers.append(contentsOf: fields)
        if let wait { error.headers[.retryAfter] = APIError.seconds(wait) }
        return error
    }
}

extension HTTPResponse.Status {
    /// 402: there is no money for it.
    static var paymentRequired: Self { Self(code: 402, reasonPhrase: "Payment Required") }
}
