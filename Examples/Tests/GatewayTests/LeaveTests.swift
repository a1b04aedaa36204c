import HTTPTypes
import NIOHTTP1
import Spillway
import Testing

@testable import Gateway

struct LeaveTests {
    private func leave(_ fields: [String: String]) -> Leave {
        var headers = HTTPFields()
        for (name, value) in fields { headers[.init(name)!] = value }
        return Leave(headers)
    }

    @Test func `without headers there is no bound`() async throws {
        let (_, report) = await leave([:]).reported(try Policy("p") {}, Call()) { _ in
            #expect(CallContext.current?.deadline == nil)
            #expect(BudgetChain.current.isEmpty)
        }
        #expect(report.attempts.count == 1)
        var headers = HTTPHeaders()
        #expect(leave([:]).tell(&headers) == 0)
        #expect(headers.isEmpty)
    }

    @Test(arguments: ["", "soon", "-1", "1.5", "99999999999999999999"])
    func `headers that make no sense are as none`(value: String) async {
        var headers = HTTPHeaders()
        _ = leave([Leave.deadline: value, Leave.allowance: value]).tell(&headers)
        #expect(headers.isEmpty)
    }

    @Test func `half of what is left is lent, and what was not spent comes back`() {
        let leave = leave([Leave.allowance: "5"])
        var headers = HTTPHeaders()
        let first = leave.tell(&headers)
        #expect(first == 2)
        #expect(headers.first(name: Leave.allowance) == "2")
        let second = leave.tell(&headers)
        #expect(second == 1)
        leave.settle([Leave.spent: "1"], lent: first)
        #expect(leave.spent(attempts: 2) == 2)
        // Three, and one that came back; the second was never answered.
        #expect(leave.tell(&headers) == 1)
    }

    @Test func `attempts end with the allowance`() async throws {
        let policy = try Policy("p") { () throws(ConfigurationError) in
            try Retry(upTo: 5, backoff: .none, budget: .unlimited)
        }
        let leave = leave([Leave.allowance: "2"])
        let (_, report) = await leave.reported(policy, Call(idempotency: .idempotent)) {
            (_) async throws(Refused) -> Bool in throw Refused()
        }
        #expect(report.attempts.count == 3)
        #expect(report.ending == Reason.budgetExhausted)
        #expect(leave.spent(report) == 2)
    }

    private struct Refused: OutcomeError {
        var outcome: Outcome { .failure(.serverError) }
    }
}
