import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOHTTP1
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// What the operator sees of the fleets.
struct FleetView: Decodable {
    struct Said: Decodable {
        let value: Double
        let ageSeconds: Double
    }

    struct Load: Decodable {
        let waiting: Said?
        let running: Said?
        let kvUse: Said?
    }

    struct Drain: Decodable {
        let state: String
        let running: Int
        let finished: Int
        let lost: Int
        let left: Int
    }

    struct Member: Decodable {
        let name: String
        let address: String
        let zone: String?
        let costPerHour: Double?
        let phase: String?
        let reason: String?
        let calls: Int
        let waiting: Int
        let pendingTokens: Int
        let heldTokens: Int
        let streams: Int?
        let knownPrefixes: Int
        let load: Load
        let drain: Drain?
    }

    struct Capacity: Decodable {
        struct Demand: Decodable {
            let expected: Double
            let upper: Double
        }

        let replicas: Int
        let running: Int
        let reason: String
        let needed: Int?
        let demand: Demand?
        let dollarsPerHour: String?
    }

    struct Fleet: Decodable {
        let name: String
        let rule: String
        let capacity: Capacity?
        let refuses: String?
        let listProblem: String?
        let idle: [String]?
        let members: [Member]

        /// The member of that name; nil: there is none.
        subscript(_ name: String) -> Member? { members.first { $0.name == name } }
    }

    let fleets: [Fleet]
}

extension Bench {
    /// The only fleet, as the operator sees it.
    func fleetView() async throws -> FleetView.Fleet {
        let text = try await send(.GET, "v1/fleet").text
        return try #require(try JSONDecoder().decode(FleetView.self, from: Data(text.utf8)).fleets.first)
    }

    /// Asks for the fleet until it satisfies a condition; the suite's time limit bounds the wait.
    @discardableResult
    func fleetView(until isMet: (FleetView.Fleet) -> Bool) async throws -> FleetView.Fleet {
        var view = try await fleetView()
        try await until {
            if isMet(view) { return true }
            view = try await fleetView()
            return false
        }
        return view
    }

    /// Asks the gateway what begins with `prompt`.
    func ask(
        _ prompt: String, of model: String = "chat", streamed: Bool = false, extra: String = Bench.length,
        headers: HTTPHeaders = [:]
    ) async throws -> Seen {
        try await Seen(open(prompt, of: model, streamed: streamed, extra: extra, headers: headers))
    }

    /// The beginning of an answer.
    func open(
        _ prompt: String, of model: String = "chat", streamed: Bool, extra: String = Bench.length,
        headers: HTTPHeaders = [:]
    ) async throws -> HTTPClientResponse {
        let body =
            #"{"model":"\#(model)","stream":\#(streamed),"messages":[{"role":"user","content":"\#(prompt)"}]\#(extra)}"#
        return try await send(.POST, "v1/chat/completions", body: body, headers: headers)
    }
}

extension Seen {
    /// The replica that the gateway says has answered.
    var replica: String? { headers["x-spillway-replica"] }
}

/// How the health of replicas is judged in tests: nothing waits long, and a replica that is back gets its share at once.
let quickHealth = "{ firstTokenSeconds: 5, probeSeconds: 1, verifySeconds: 0.02, maximumSeconds: 1, rampSeconds: 0 }"

/// Runs `body` against a gateway with one fleet of replicas, once all of them are ready.
///
/// They are called `gpu-1` and so on, and stand in the zones a and b in turn; `each` says what else is known of them.
func withFleet(
    replicas: Int = 3, fleet: String = "scrapeSeconds: 0.05", health: String? = quickHealth,
    policy: String = "{ retries: 3, backoff: { kind: none }, firstContentSeconds: 10 }", flags: [String] = [],
    speed: Int = 1000, each: [String] = [], extra: String = "", sessions: (any SessionStore)? = nil,
    connections: Int? = nil, _ body: (Bench) async throws -> Void
) async throws {
    try await withReplicas(replicas, speed: speed, flags: flags) { addresses in
        let members = addresses.replicas.enumerated().map { index, port in
            let more = each.isEmpty ? "" : " " + each[index]
            return "\"gpu-\(index + 1) 127.0.0.1:\(port) zone=\(["a", "b"][index % 2]) kv=65536\(more)\""
        }
        let checks = health.map { ", health: \($0)" } ?? ""
        let yaml = """
            upstreams:
              own: { prefill: flags, fleet: { members: [\(members.joined(separator: ", "))], \(fleet)\(checks) } }
            models:
              chat: { targets: [{ upstream: own, model: fake-7b }] }
            policy: \(policy)
            \(extra)
            """
        try await withFleetGateway(
            yaml, addresses, isReady: health == nil, sessions: sessions, connections: connections, body)
    }
}

/// Runs `body` with the addresses of so many replicas.
func withReplicas(
    _ count: Int, speed: Int = 1000, flags: [String] = [], _ body: (FleetServer.Addresses) async throws -> Void
) async throws {
    let options = try FleetOptions.parse(["--port=0", "--replicas=\(count)", "--speed=\(speed)"] + flags)
    try await running({ try await FleetServer(options).run(ready: $0) }, body: body)
}

/// Runs `body` against a gateway with this file, once all replicas of its fleet are ready.
func withFleetGateway(
    _ yaml: String, _ addresses: FleetServer.Addresses, isReady: Bool = false, sessions: (any SessionStore)? = nil,
    connections: Int? = nil, _ body: (Bench) async throws -> Void
) async throws {
    // More connections than the shared client opens to one host.
    let client = HTTPClient(configuration: .underPolicy)
    let outcome: Result<Void, any Error>
    do {
        try await withGateway(yaml, sessions: sessions, connections: connections) { gateway, port in
            let bench = Bench(fleet: addresses, gateway: gateway, port: port, client: client)
            if !isReady {
                // The page of the fleets may need a key.
                try await until {
                    try await bench.send(.GET, "metrics").text.matches(of: /gateway_replica_phase\{phase="(\w+)"/)
                        .allSatisfy { $0.1 == "ready" }
                }
            }
            try await body(bench)
        }
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    try await client.shutdown()
    try outcome.get()
}
