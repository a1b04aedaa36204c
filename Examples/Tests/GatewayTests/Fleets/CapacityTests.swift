import Foundation
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// How many replicas a gateway recommends.
@Suite(.timeLimit(.minutes(10))) struct CapacityTests {
    private func capacity(_ fields: String) throws -> Configuration.Capacity {
        let yaml = """
            upstreams:
              a: { fleet: { members: ["g h:1"], capacity: { \(fields) } } }
            models: { m: { targets: [{ upstream: a, model: x }] } }
            """
        return try #require(Configuration(yaml: yaml, file: "g.yaml").upstreams[0].replicas?.capacity)
    }

    @Test func `calls become replicas`() throws {
        let capacity = try Capacity(
            capacity(
                "callsPerSecond: 2, startSeconds: 600, fewest: 2, most: 20, bucketSeconds: 60, dollarsPerHour: 2.5"))
        #expect(capacity.interval == .seconds(15))
        var now = Instant.zero
        #expect(capacity.advice(running: 3, at: now).reason == .unknown)
        #expect(capacity.advice(running: 3, at: now).replicas == 3)
        // Seven a second, always.
        for _ in 0..<60 * 60 {
            for _ in 0..<7 { capacity.came(at: now) }
            now = now.advanced(by: .seconds(1))
        }
        let busy = capacity.advice(running: 3, at: now)
        #expect(busy.replicas == 4 && busy.reason == .demand && busy.needed == 4)
        #expect(busy.nanoDollarsPerHour == 10_000_000_000)
        // And then nobody: that is known as long as it is asked.
        for _ in 0..<4 * 60 * 4 {
            now = now.advanced(by: capacity.interval)
            capacity.advice(running: 4, at: now)
        }
        let quiet = capacity.advice(running: 4, at: now)
        #expect(quiet.replicas == 2 && quiet.reason == .fewest)
    }

    @Test func `calls that come show in the page and the metrics`() async throws {
        // Half of the cases are foreseen after three buckets of a second.
        let fields =
            "scrapeSeconds: 0.5, capacity: { callsPerSecond: 0.001, startSeconds: 1, coverage: 0.5, most: 9, bucketSeconds: 1, dollarsPerHour: 3 }"
        try await withFleet(replicas: 2, fleet: fields) { bench in
            let first = try #require(try await bench.fleetView().capacity)
            #expect(first.running == 2)
            let view = try await bench.fleetView { view in view.capacity?.demand != nil }
            #expect((1...9).contains(view.capacity?.replicas ?? 0))
            // Each second some.
            var busy: FleetView.Capacity?
            while busy?.reason != "most" {
                #expect(try await bench.ask("hello").status == 200)
                busy = try await bench.fleetView().capacity
            }
            #expect(busy?.replicas == 9 && busy?.running == 2 && busy?.dollarsPerHour == "27.00")
            #expect((busy?.needed ?? 0) > 9 && (busy?.demand?.upper ?? 0) >= (busy?.demand?.expected ?? 1))
            try await bench.metrics(until: #"gateway_fleet_replicas_recommended{upstream="own"} 9"#)
            let page = try await bench.send(.GET, "metrics").text
            #expect(page.contains(#"gateway_fleet_replicas_reason{reason=""#))
            #expect(page.contains(#"gateway_fleet_demand_calls_per_second{bound="upper",upstream="own"} "#))
        }
    }

    @Test func `calls that find no replica have come, too`() async throws {
        // Nobody listens at the port 1; without probes nobody is ready.
        let yaml = """
            upstreams:
              own: { fleet: { members: ["gpu-1 127.0.0.1:1"], health: {}, \
            capacity: { callsPerSecond: 0.001, startSeconds: 1, coverage: 0.5, bucketSeconds: 1 } } }
            models: { chat: { targets: [{ upstream: own, model: fake-7b }] } }
            policy: { retries: 0 }
            """
        try await withGateway(yaml) { gateway, port in
            let bench = Bench(fleet: .init(control: 0, replicas: []), gateway: gateway, port: port)
            var needed = 0
            while needed < 100 {
                #expect(try await bench.ask("hello").status == 503)
                needed = try await bench.fleetView().capacity?.needed ?? 0
            }
        }
    }

    @Test(
        arguments: [
            ("targets: [{ upstream: a, model: x }, { upstream: b, model: x }]", "a"),
            ("order: rotating, targets: [{ upstream: a, model: x }, { upstream: b, model: x }]", nil),
            ("order: rotating, targets: [{ upstream: b, model: x }, { upstream: b, model: y }]", "b"),
            ("tiers: [{ name: t, targets: [{ upstream: b, model: x }, { upstream: a, model: x }] }]", "b"),
            (
                "tiers: [{ name: t, choice: leastLoad, targets: [{ upstream: a, model: x }, { upstream: b, model: x }] }]",
                nil
            ),
            ("tiers: [{ name: c, cache: {} }, { name: t, targets: [{ upstream: a, model: x }] }]", nil),
        ]) func `it is known where calls come first`(model: String, entrance: String?) throws
    {
        let yaml = """
            upstreams: { a: { url: "http://a" }, b: { url: "http://b" } }
            models: { m: { \(model) } }
            """
        #expect(try Configuration(yaml: yaml, file: "g.yaml").models[0].entrance == entrance)
    }

    @Test func `every field is read`() throws {
        let own = try capacity(
            """
            callsPerSecond: 12, startSeconds: 600, coverage: 0.95, fewest: 2, most: 40, stabilizationSeconds: 900, idleCap: 0.5,
              spares: { attainment: 0.999, availability: 0.99, zones: 3, zoneAvailability: 0.9999 }, dollarsPerHour: 2,
              bucketSeconds: 300, seasonSeconds: 604800
            """)
        #expect(own.plan.perReplica == 12 && own.start == .seconds(600) && own.coverage == 0.95)
        #expect(own.plan.range == 2...40 && own.plan.stabilization == .seconds(900) && own.plan.idleCap == 0.5)
        #expect(
            own.plan.spares == .init(attainment: 0.999, availability: 0.99, zones: 3, zoneAvailability: 0.9999))
        #expect(own.plan.price.nanoDollarsPerHour == 2_000_000_000)
        #expect(own.demand.bucket == .seconds(300) && own.demand.season == 2_016 && own.demand.horizon == 4)
        let least = try capacity("callsPerSecond: 1, startSeconds: 0")
        #expect(least.plan.range == 1...100 && least.plan.spares == nil && least.coverage == 0.9)
        #expect(least.demand.season == nil && least.demand.horizon == 2)
    }

    @Test(
        arguments: [
            ("startSeconds: 1", "", "'callsPerSecond' is missing"),
            ("callsPerSecond: 1", "", "'startSeconds' is missing"),
            ("callsPerSecond: 0, startSeconds: 1", ".callsPerSecond", "'0' is not a number from"),
            ("callsPerSecond: 1, startSeconds: 1, fewest: 5, most: 4", "", "fewest is more than most"),
            ("callsPerSecond: 1, startSeconds: 1, most: 300", ".most", "from 1 to 256"),
            ("callsPerSecond: 1, startSeconds: 1, coverage: 1", ".coverage", "from 0.5 to 0.99"),
            (
                "callsPerSecond: 1, startSeconds: 86400", ".startSeconds",
                "is more than 286 buckets of 300.0 seconds: nobody can see so far ahead"
            ),
            ("callsPerSecond: 1, startSeconds: 1, seasonSeconds: 1000", ".seasonSeconds", "2 to 10080 whole buckets"),
            ("callsPerSecond: 1, startSeconds: 1, bucketSeconds: 0.5", ".bucketSeconds", "from 1.0 to"),
            ("callsPerSecond: 1, startSeconds: 1, spares: { attainment: 0.9 }", ".spares", "'availability' is missing"),
            (
                "callsPerSecond: 1, startSeconds: 1, spares: { attainment: 0.999, availability: 0.9, zoneAvailability: 0.9 }",
                ".spares", "spares.attainment is 0.999"
            ),
            ("callsPerSecond: 1, startSeconds: 1, dollarsPerHour: -1", ".dollarsPerHour", "not below 0"),
            ("callsPerSecond: 1, startSeconds: 1, replicas: 3", ".replicas", "unknown field"),
        ]) func `what cannot be is refused with its path`(fields: String, path: String, problem: String)
    {
        let fault = #expect(throws: ConfigurationFault.self) { try capacity(fields) }
        #expect(fault?.field == "upstreams.a.fleet.capacity" + path)
        #expect(fault?.problem.contains(problem) == true, "\(fault?.problem ?? "")")
        #expect(fault?.line == 2)
    }
}
