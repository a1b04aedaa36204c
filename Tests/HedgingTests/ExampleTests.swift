import Hedging
import Retrying
import SpillwayCore
import Testing

/// The example of the module's page, word for word.
@Suite struct ExampleTests {
    func makeHedge() throws -> Hedge {
        let budget = try RetryBudget("extra work", .init(ratio: 0.05))
        return try Hedge(after: .quantile(0.95, initially: .seconds(3)), budget: budget)
    }
    func answer(_ hedge: Hedge, _ ask: @escaping @Sendable (Int) async throws -> String) async throws -> String {
        try await hedge.run(Call(idempotency: .idempotent)) { attempt in try await ask(attempt.hedge + 1) }
    }

    @Test func itAnswers() async throws {
        #expect(try await answer(makeHedge()) { "attempt \($0)" } == "attempt 1")
    }
}
