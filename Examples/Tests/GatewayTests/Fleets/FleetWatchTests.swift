import FleetFaults
import Testing

@testable import Gateway

/// How the gateway keeps its fleets informed.
@Suite(.timeLimit(.minutes(10))) struct FleetWatchTests {
    @Test func `calls that take all connections hold up neither scrapes nor probes`() async throws {
        try await withFleet(replicas: 1, connections: 1) { bench in
            try await bench.fault(.stuckKernel)
            let asking = Task { try await bench.ask("hello", streamed: true) }
            // Only a scrape tells what runs.
            try await bench.fleetView { $0.members[0].calls == 1 && $0.members[0].load.running?.value == 1 }
            asking.cancel()
            _ = await asking.result
        }
    }
}
