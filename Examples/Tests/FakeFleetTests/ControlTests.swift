import AsyncHTTPClient
import Testing

@testable import FakeFleet

@Suite(.timeLimit(.minutes(10))) struct ControlTests {
    @Test func `calls count in the phase and at the replica where they arrive`() async throws {
        try await withFleet(["--replicas=2"]) { fleet in
            let control = fleet.addresses.control
            for (phase, replica) in [("before", 1), ("during", 2), ("during", 2)] {
                _ = try await fleet.send(.POST, "control/phase", port: control, body: #"{"phase":"\#(phase)"}"#).json
                _ = try await fleet.chat(extra: #","max_tokens":5"#, replica: replica).json
            }
            // An answer is counted after its last byte, so the client can be ahead of the count.
            try await fleet.stats { $0["replicas"][1]["completed"] == 2 && $0["replicas"][0]["completed"] == 1 }
            let stats = try await fleet.stats()
            #expect(
                stats["phases"] == [
                    "before": ["calls": 1, "completed": 1, "tokens": 5, "faults": [:]],
                    "during": ["calls": 2, "completed": 2, "tokens": 10, "faults": [:]],
                ]
            )
            let port = JSONValue.count(fleet.addresses.replicas[1])
            let second: JSONValue = [
                "port": port, "calls": 2, "completed": 2, "prompt_tokens": 4, "generated_tokens": 10, "running": 0,
                "waiting": 0, "preemptions": 0,
            ]
            #expect(stats["replicas"][1] == second)
        }
    }

    @Test func `a reset zeroes the counts and keeps the phase`() async throws {
        try await withFleet { fleet in
            let control = fleet.addresses.control
            _ = try await fleet.send(.POST, "control/phase", port: control, body: #"{"phase":"before"}"#).json
            _ = try await fleet.chat().json
            #expect(try await fleet.send(.POST, "control/reset", port: control).status == .ok)
            #expect(try await fleet.stats()["phases"]["before"]["calls"] == .null)
            #expect(try await fleet.stats()["replicas"][0]["calls"] == 0)
            _ = try await fleet.chat().json
            #expect(try await fleet.stats()["phases"]["before"]["calls"] == 1)
        }
    }

    @Test func `a call from before a reset no longer counts`() {
        let ledger = Ledger()
        let call = ledger.begin(replica: 1)
        ledger.reset(loads: [])
        ledger.completed(call)
        ledger.generated(3, by: call)
        ledger.began(call)
        #expect(ledger.report(loads: []) == ["phases": [:], "replicas": []])
    }

    @Test func `faults replace each other, and bad ones change nothing`() async throws {
        try await withFleet { fleet in
            let control = fleet.addresses.control
            try await fleet.fault(.error503)
            let bad = #"[{"replica":1,"fault":"reset"},{"replica":2,"fault":"reset"}]"#
            let refused = try await fleet.send(.PUT, "control/faults", port: control, body: bad)
            #expect(refused.status == .badRequest)
            #expect(try await refused.json["error"]["param"] == "faults[1].replica")
            let active = try await fleet.send(.GET, "control/faults", port: control).json
            #expect(active.items.map { $0["fault"] } == ["error-503"])
            #expect(try await fleet.send(.PUT, "control/faults", port: control, body: "[]").json == [])
            #expect(try await fleet.chat().status == .ok)
        }
    }

    @Test(arguments: ["{}", #"{"phase":3}"#, #"{"phase":""}"#, "phase"])
    func `a bad phase is refused`(body: String) async throws {
        try await withFleet { fleet in
            let response = try await fleet.send(.POST, "control/phase", port: fleet.addresses.control, body: body)
            #expect(response.status == .badRequest)
        }
    }

    @Test func `a port that is taken is named`() async throws {
        try await withFleet { fleet in
            let taken = fleet.addresses.replicas[0]
            let second = try FleetServer(FleetOptions.parse(["--port=\(taken)", "--replicas=1"]))
            let error = await #expect(throws: FleetError.self) { try await second.run { _ in } }
            #expect(error?.port == taken)
        }
    }
}
