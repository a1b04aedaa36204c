import AsyncHTTPClient
import FleetFaults
import Foundation
import Spillway
import SpillwayTesting
import Testing

@testable import FakeFleet
@testable import Gateway

/// How the gateway keeps its fleets informed.
@Suite(.timeLimit(.minutes(10))) struct FleetWatchTests {
    /// Calls that hang do so until the test has seen what it waits for, however busy the machine is.
    private static let patient =
        "{ retries: 0, deadlineSeconds: 600, attemptSeconds: 600, firstContentSeconds: 600, stallSeconds: 600 }"

    @Test func `calls that take all connections hold up no scrape`() async throws {
        try await withFleet(replicas: 1, health: nil, policy: Self.patient, connections: 1) { bench in
            try await bench.fault(.stuckKernel)
            let asking = Task { try await bench.ask("hello", streamed: true) }
            // Only a scrape tells what runs.
            try await bench.fleetView { $0.members[0].calls == 1 && $0.members[0].load.running?.value == 1 }
            asking.cancel()
            _ = await asking.result
        }
    }

    @Test func `a name without an address keeps only its own replicas away`() async throws {
        try await withReplicas(1) { addresses in
            let yaml = """
                upstreams:
                  own: { fleet: { dns: { host: gpus.invalid, port: 8000 } } }
                  rented: { url: "http://127.0.0.1:\(addresses.replicas[0])" }
                models:
                  chat: { targets: [{ upstream: rented, model: fake-7b }] }
                  alone: { targets: [{ upstream: own, model: fake-7b }] }
                policy: { retries: 0 }
                """
            try await withFleetGateway(yaml, addresses, isReady: true) { bench in
                #expect(try await bench.ask("hello").upstream == "rented")
                let alone = try await bench.ask("x", of: "alone")
                #expect(alone.status == 503 && alone.code == "no_target")
                let view = try await bench.fleetView()
                #expect(view.members.isEmpty && view.refuses == "no_target")
                #expect(view.listProblem?.isEmpty == false)
                let ready = try await bench.send(.GET, "health/ready")
                #expect(ready.status == .ok)
                #expect(try await ready.text == #"{"draining":false,"ready":true,"refusing":{"own":"no_target"}}"#)
            }
        }
    }

    @Test func `a name is resolved before the first call, and found again later`() async throws {
        try await withReplicas(1) { addresses in
            let yaml = """
                upstreams:
                  own:
                    fleet: { dns: { host: 127.0.0.1, port: \(addresses.replicas[0]), zone: b }, followSeconds: 0.01 }
                models:
                  chat: { targets: [{ upstream: own, model: fake-7b }] }
                """
            try await withFleetGateway(yaml, addresses, isReady: true) { bench in
                let seen = try await bench.ask("hello"), view = try await bench.fleetView()
                #expect(seen.replica == "127.0.0.1:\(addresses.replicas[0])")
                #expect(view.members.map(\.name) == [seen.replica] && view.listProblem == nil)
                #expect(view.members[0].zone == "b")
            }
        }
    }

    @Test func `a fleet begins empty where nobody answers in time, and is filled later`() async throws {
        struct Silent: MemberSource {
            func members() async throws -> [Member] {
                let (never, end) = AsyncStream.makeStream(of: Never.self)
                defer { end.finish() }
                for await _ in never {}
                throw CancellationError()
            }
        }
        let fleet = try Fleet("own", members: [], at: .zero)
        let roster = Roster(Silent())
        await roster.fill(fleet, within: .milliseconds(1))
        #expect(fleet.members.isEmpty && fleet.refusal(at: .zero) == .noTarget)
        #expect(roster.problem?.contains("within") == true)
        let known = Roster(FixedMembers([Member("gpu-1", address: "h:1")]))
        await known.fill(fleet, within: .seconds(86_400))
        #expect(fleet.members.map(\.name) == ["gpu-1"] && fleet.refusal(at: .zero) == nil && known.problem == nil)
    }

    @Test func `of more replicas than a fleet takes the first are taken at the start`() async throws {
        let members = (0..<300).map { Member("m\(1_299 - $0)", address: "h:1") }
        let fleet = try Fleet("own", members: [], at: .zero), roster = Roster(FixedMembers(members))
        await roster.fill(fleet, within: .seconds(86_400))
        let first = members.map(\.name).sorted().prefix(Fleet.capacity)
        #expect(fleet.members.map(\.name) == Array(first) && roster.problem == nil)
    }

    @Test func `a list that cannot be used leaves a fleet empty, and says why`() async throws {
        let fleet = try Fleet("own", members: [], at: .zero)
        let roster = Roster(FixedMembers([Member("gpu 1", address: "h:1")]))
        await roster.fill(fleet, within: .seconds(86_400))
        #expect(fleet.members.isEmpty && roster.problem?.contains("blanks") == true)
    }

    @Test func `the gateway is not ready while something stands against every replica`() async throws {
        try await withFleet(replicas: 2) { bench in
            #expect(try await bench.send(.GET, "health/ready").status == .ok)
            let fleet = try #require(bench.gateway.upstreams[0].fleet)
            for name in ["gpu-1", "gpu-2"] {
                fleet.health(of: name)?.veto(.rowRemap, at: SystemTime().now)
                let response = try await bench.send(.GET, "health/ready")
                #expect(response.status == (name == "gpu-1" ? .ok : .serviceUnavailable))
            }
            #expect(try await bench.fleetView().refuses == "no_target")
            fleet.health(of: "gpu-2")?.lift(.device, at: SystemTime().now)
            try await until { try await bench.send(.GET, "health/ready").status == .ok }
        }
    }

    @Test func `where the API lies elsewhere calls and probes go there`() async throws {
        try await withReplicas(1) { addresses in
            // As if `/v1` were the place of all that the engine has.
            let yaml = """
                upstreams:
                  own: { fleet: { members: ["gpu-1 127.0.0.1:\(addresses.replicas[0])/v1"], apiPath: none, health: {} } }
                models:
                  chat: { targets: [{ upstream: own, model: fake-7b }] }
                """
            try await withFleetGateway(yaml, addresses) { bench in
                for streamed in [true, false] {
                    let seen = try await bench.ask("hello", streamed: streamed)
                    #expect(seen.status == 200 && seen.isDone && seen.replica == "gpu-1")
                }
            }
        }
    }

    @Test func `replicas that idle are named, the dearest first, and the cheapest kept`() async throws {
        let costs = ["cost=2", "cost=9.5", "", "cost=4"]
        let idle = "idle: { seconds: 0.001, keep: 1 }, rule: round_robin, scrapeSeconds: 0.05"
        try await withFleet(replicas: 4, fleet: idle, health: nil, policy: Self.patient, each: costs) { bench in
            let all = try await bench.fleetView { $0.idle?.count == 3 }
            #expect(all.members.map(\.costPerHour) == [2, 9.5, nil, 4])
            // What is not known costs least.
            #expect(all.idle == ["gpu-2", "gpu-4", "gpu-1"])
            // One that works is not idle, however dear.
            try await bench.fault(.stuckKernel, replica: #""all""#)
            let calls = (0..<4).map { _ in Task { try await bench.ask("hello", streamed: true) } }
            try await bench.fleetView { $0.idle == [] }
            for call in calls { call.cancel() }
            for call in calls { _ = await call.result }
        }
        try await withFleet(replicas: 1) { bench in
            let view = try await bench.fleetView()
            #expect(view.idle == nil && view.members[0].costPerHour == nil)
        }
    }
}
