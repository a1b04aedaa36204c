import CostLedger
import Spillway
import Testing

@testable import Gateway

struct SpendRefusalTests {
    /// 2026-07-15, 12:00 UTC.
    private static let noon: Int64 = 1_784_116_800_000_000_000

    /// What a caller is told who needs `needed` after `spent` was spent and while `held` is held.
    private func refusal(
        _ limits: [SpendLimit], spent: Int = 0, held: Int = 0, needs needed: Int, hint: Duration? = nil,
        at unix: Int64 = noon
    ) throws -> APIError {
        let ledger = try Ledger("ledger", .init(limits: limits), epoch: unix)
        let account = try ledger.account(of: [.gateway, .tenant("a"), .session("a/s")], at: .zero)
        if spent > 0 { try account.hold(.dollars(spent), at: .zero).settle(.dollars(spent), at: .zero) }
        let hold = try account.hold(.dollars(held), at: .zero)
        let error = SpendRefusal(
            account.bill(), needs: .dollars(needed), others: [.model("m")], hint: hint, at: .zero, unix: unix
        ).error
        hold.void(at: .zero)
        return error
    }

    private func message(_ error: APIError) -> String { String(buffer: error.json) }

    @Test func `a month that has long to go does not renew soon`() throws {
        let error = try refusal([SpendLimit(.tenant("a"), hard: .dollars(10))], spent: 9, needs: 2)
        #expect(error.status.code == 402)
        #expect(error.headers[.retryAfter] == nil)
        #expect(error.headers[.init("x-spillway-renews")!] == "2026-08-01T00:00:00Z")
        #expect(
            message(error).contains(
                "The tenant's limit of $10.00 per month has $1.00 left, and this call needs $2.00 to go on. "
                    + "It renews at 2026-08-01T00:00:00Z."))
    }

    @Test func `in the last hour of a month it does`() throws {
        // Half an hour before August.
        let late: Int64 = 1_785_542_400_000_000_000 - 1_800_000_000_000
        let error = try refusal([SpendLimit(.tenant("a"), hard: .dollars(10))], spent: 9, needs: 2, at: late)
        #expect(error.status.code == 429)
        #expect(error.headers[.retryAfter] == "1800")
    }

    @Test func `money that calls under way hold may come back at once`() throws {
        let error = try refusal(
            [SpendLimit(.tenant("a"), hard: .dollars(10), per: .total)], spent: 5, held: 4, needs: 2)
        #expect(error.status.code == 429)
        #expect(error.headers[.retryAfter] == "1")
        #expect(message(error).contains("Calls under way hold the rest"))
        // But not where what was spent is too much already.
        let spent = try refusal(
            [SpendLimit(.tenant("a"), hard: .dollars(10), per: .total)], spent: 9, held: 1, needs: 2)
        #expect(spent.status.code == 402)
        #expect(message(spent).contains("It does not renew."))
    }

    @Test func `of several limits the one that keeps the caller away for the longest is told`() throws {
        let limits = [
            SpendLimit(.tenant("a"), hard: .dollars(10), per: .day),
            SpendLimit(each: .session, hard: .dollars(10), per: .minute),
        ]
        let error = try refusal(limits, spent: 10, needs: 1)
        #expect(error.status.code == 402)
        #expect(message(error).contains("The tenant's limit of $10.00 per day has $0.00 left"))
        #expect(error.headers[.init("x-spillway-remaining")!] == "0.00")
    }

    @Test func `a limit of all is named without figures`() throws {
        let error = try refusal([SpendLimit(.gateway, hard: .dollars(10), per: .hour)], spent: 10, needs: 1)
        #expect(error.status.code == 429)
        #expect(error.headers[.retryAfter] == "3600")
        #expect(message(error).contains("The gateway's limit per hour is used up."))
        #expect(!message(error).contains("$"))
        #expect(error.headers[.init("x-spillway-remaining")!] == nil)
    }

    @Test func `where there is room again, the ledger's hint counts`() throws {
        let limits = [SpendLimit(.tenant("a"), hard: .dollars(10))]
        #expect(try refusal(limits, needs: 1, hint: .seconds(7)).headers[.retryAfter] == "7")
        let error = try refusal(limits, needs: 1)
        #expect(error.status.code == 429)
        #expect(error.headers[.retryAfter] == "1")
    }
}
