import Testing

@testable import SharedLimitFleet

/// Real processes and a real server.
///
/// What is asserted holds however slow the machine is; figures are printed.
@Suite(
    .enabled(if: Server.program != nil, "there is no redis-server or valkey-server here: dev/setup.sh installs it"),
    .serialized, .timeLimit(.minutes(5)))
struct SharedLimitFleetTests {
    @Test func aRateHoldsWhileTheServerIsKilledAndRestarted() async throws {
        let result = try await RateRun(4, 1_000, 0, 2).result()
        for phase in result.phases { print("\(phase.name): \(phase.spent) in \(phase.seconds) s, \(phase.each)") }
        #expect(Double(result.spent) <= result.allowed)
        #expect(result.spent > 0)
    }

    @Test func aBudgetHoldsWhileProcessesAreKilled() async throws {
        let result = try await MoneyRun(4, 5_000_000_000, 8).result()
        print("spent \(result.spent) of 5000000000; leases of \(result.kills) dead: \(result.out)")
        #expect(result.spent <= 5_000_000_000 + result.out)
        #expect(result.spent > 0)
    }
}
