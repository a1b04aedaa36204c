import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOHTTP1
import Testing

@testable import FakeFleet
@testable import Gateway

/// What clients and the operator see of a fleet of replicas.
@Suite(.timeLimit(.minutes(10))) struct FleetTests {
    /// Each replica gets calls, however slow it was.
    private static let inTurn = "rule: round_robin, scrapeSeconds: 0.05"

    /// A beginning of some hundred tokens.
    private func prompt(_ number: Int) -> String {
        String(repeating: "This is the beginning that all of group \(number) share. ", count: 40)
    }

    @Test func `one prefix stays at one replica, and others spread`() async throws {
        try await withFleet(replicas: 4) { bench in
            var homes: [String?] = []
            for group in 0..<8 {
                let first = try await bench.ask(prompt(group) + "0")
                #expect(first.status == 200 && first.upstream == "own")
                // Not as often as there are replicas: of equals the next in turn is taken.
                for turn in 1..<3 {
                    #expect(try await bench.ask(prompt(group) + "\(turn)").replica == first.replica)
                }
                homes.append(first.replica)
            }
            #expect(!homes.contains(nil) && Set(homes).count > 1)
            let view = try await bench.fleetView()
            #expect(view.members.allSatisfy { $0.calls == 0 && $0.pendingTokens == 0 && $0.heldTokens == 0 })
            #expect(view.members.map(\.knownPrefixes).reduce(0, +) > 8)
            try await bench.metrics(until: #"gateway_replica_calls{replica="gpu-1",upstream="own"} 0"#)
            try await bench.metrics(until: #"gateway_replica_phase{phase="ready",replica="gpu-4",upstream="own"} 1"#)
        }
    }

    @Test func `loads come by scrapes, and with answers`() async throws {
        try await withFleet { bench in
            // Answers do not tell what runs.
            let view = try await bench.fleetView { $0.members.allSatisfy { $0.load.running != nil } }
            #expect(view.rule == "predicted" && view.members.map(\.zone) == ["a", "b", "a"])
            #expect(view.members.allSatisfy { ($0.load.kvUse?.ageSeconds ?? -1) >= 0 })
        }
        // Before the first scrape, which comes within the first hour.
        try await withFleet(replicas: 2, fleet: "scrapeSeconds: 3600", health: nil) { bench in
            let seen = try await bench.ask("hello")
            let view = try await bench.fleetView()
            #expect(view.members.filter { $0.load.waiting != nil }.map(\.name) == [seen.replica])
            #expect(view.members.allSatisfy { $0.load.running == nil && $0.phase == nil })
        }
    }

    @Test(arguments: [FaultKind.error500, .reset])
    func `a replica that fails is out after three calls, and comes back`(kind: FaultKind) async throws {
        let policy = "{ retries: 3, backoff: { kind: none }, budget: unlimited }"
        try await withFleet(fleet: Self.inTurn, policy: policy) { bench in
            let answer = try await bench.ask("hello").text
            try await bench.fault(kind)
            for _ in 0..<30 { try await bench.ask("hello", streamed: true).isWhole(answer) }
            let page = try await bench.send(.GET, "metrics").text
            let failed = page.matches(
                of: /gateway_upstream_attempts_total\{cause="([a-z_]+)",upstream="own"\} ([0-9]+)/
            )
            .filter { !["none", "cancelled"].contains($0.1) }.compactMap { Int($0.2) }.reduce(0, +)
            // One call may take all retries at replicas, but each replica fails three times at most.
            // None, if a probe was first.
            #expect(failed <= 3, "\(page)")
            try await bench.fleetView { $0["gpu-1"]?.phase != "ready" }
            try await bench.faults()
            try await bench.fleetView { $0["gpu-1"]?.phase == "ready" }
            try await until { try await bench.ask("hello").replica == "gpu-1" }
        }
    }

    @Test func `a replica that hangs is out after one call, and comes back`() async throws {
        let policy = "{ retries: 3, backoff: { kind: none }, budget: unlimited, firstContentSeconds: 5 }"
        try await withFleet(fleet: Self.inTurn, policy: policy) { bench in
            let answer = try await bench.ask("hello").text
            try await bench.fault(.stuckKernel)
            for _ in 0..<20 { try await bench.ask("hello", streamed: true).isWhole(answer) }
            let page = try await bench.send(.GET, "metrics").text
            #expect(!page.contains(#"cause="timeout",upstream="own"} 2"#), "\(page)")
            let sick = try await bench.fleetView { $0["gpu-1"]?.phase != "ready" }
            #expect(sick["gpu-2"]?.phase == "ready" && sick["gpu-3"]?.phase == "ready")
            try await bench.faults()
            try await bench.fleetView { $0["gpu-1"]?.phase == "ready" }
            try await until { try await bench.ask("hello").replica == "gpu-1" }
        }
    }

    @Test func `a client that goes away says nothing of the replica`() async throws {
        try await withFleet(replicas: 1) { bench in
            let answer = try await bench.ask("hello").text
            try await bench.fault(.stuckKernel)
            for _ in 0..<5 {
                let asking = Task { try await bench.ask("hello", streamed: true) }
                try await bench.fleetView { $0.members[0].calls == 1 }
                asking.cancel()
                try await bench.fleetView { $0.members[0].calls == 0 }
            }
            try await bench.faults()
            try await bench.fleetView { $0.members[0].phase == "ready" }
            try await bench.ask("hello").isWhole(answer)
        }
    }

    @Test func `a fleet without a replica that is well lets the ladder go on`() async throws {
        try await withReplicas(1) { addresses in
            // Nobody listens at the port 1; without probes nobody is ready.
            let yaml = """
                upstreams:
                  own: { fleet: { members: ["gpu-1 127.0.0.1:1"], health: {} } }
                  rented: { url: "http://127.0.0.1:\(addresses.replicas[0])" }
                models:
                  chat:
                    tiers:
                      - { name: own, targets: [{ upstream: own, model: fake-7b, quality: 0.9 }] }
                      - { name: rented, targets: [{ upstream: rented, model: fake-7b, quality: 0.9 }] }
                  alone: { targets: [{ upstream: own, model: fake-7b }] }
                policy: { retries: 0 }
                """
            try await withFleetGateway(yaml, addresses, isReady: true) { bench in
                for streamed in [true, false] {
                    let seen = try await bench.ask("hello", streamed: streamed)
                    #expect(seen.status == 200 && seen.isDone && seen.upstream == "rented" && seen.replica == nil)
                    #expect(seen.headers["x-spillway-reasons"]?.hasPrefix("own: ") == true)
                    let alone = try await bench.ask("x", of: "alone", streamed: streamed)
                    #expect(alone.status == 503 && alone.code == "no_target")
                }
            }
        }
    }
}
