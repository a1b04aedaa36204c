import SpillwayCore
import Testing

@testable import FakeFleet

@Suite struct SimulatedClockTests {
    @Test(arguments: [0.5, 7, 1_000, 1e6])
    func `a sleep never ends early, whatever the speed`(speed: Double) async throws {
        let clock = SimulatedClock(speed: speed)
        let until = clock.now.advanced(by: .microseconds(Int64(speed * 100)))
        try await clock.sleep(until: until)
        #expect(clock.now >= until)
        try await clock.sleep(until: .zero)
    }

    @Test func `a sleep for ever can be cancelled`() async {
        let sleep = Task { try await SimulatedClock(speed: 0.001).sleep(until: .distantFuture) }
        sleep.cancel()
        await #expect(throws: CancellationError.self) { try await sleep.value }
    }
}
