import FleetFaults
import SpillwayTesting
import Testing

@testable import FakeFleet

private let streamed = #","stream":true,"max_tokens":40"#
/// Eight tokens.
private let prompt = String(repeating: "word", count: 8)

@Suite(.timeLimit(.minutes(10))) struct TokenCountTests {
    /// What the only replica has worked on.
    private func worked(_ fleet: FleetClient) async throws -> [JSONValue] {
        let replica = try await fleet.stats()["replicas"][0]
        return [replica["prompt_tokens"], replica["generated_tokens"]]
    }

    @Test(arguments: [true, false])
    func `a whole answer counts its prompt and its tokens`(isStream: Bool) async throws {
        try await withFleet { fleet in
            for _ in 0..<2 { _ = try await fleet.chat(prompt, extra: #","stream":\#(isStream),"max_tokens":40"#).text }
            #expect(try await worked(fleet) == [16, 80])
        }
    }

    @Test func `an answer that its client left counts as far as it came`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.stall)
            var received = ""
            for try await bytes in try await fleet.chat(prompt, extra: streamed).body {
                received += String(buffer: bytes)
                if received.contains(": keep-alive") { break }
            }
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            #expect(try await fleet.stats()["replicas"][0]["completed"] == 0)
            // The first token and a chunk of eight, then silence.
            #expect(try await worked(fleet) == [8, 9])
        }
    }

    @Test func `tokens that were generated and never sent count`() async throws {
        try await withFleet(["--tokens-per-chunk=1000"]) { fleet in
            try await fleet.fault(.cutStream)
            await #expect(throws: (any Error).self) { try await fleet.chat(prompt, extra: streamed).text }
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            let stats = try await fleet.stats()
            // It breaks off after the first token, and the engine is then on the chunk of the others.
            #expect(stats["phases"]["initial"]["tokens"] == 1)
            #expect(stats["replicas"][0]["prompt_tokens"] == 8)
            guard case .number(let generated) = stats["replicas"][0]["generated_tokens"] else {
                return #expect(Bool(false), "no count")
            }
            #expect((1...40).contains(generated))
        }
    }

    @Test func `a call that never got a token counts nothing`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.error503)
            _ = try await fleet.chat(prompt, extra: streamed).text
            try await fleet.fault(.stuckKernel)
            let call = Task { try await fleet.chat(prompt, extra: streamed).text }
            try await fleet.stats { $0["replicas"][0]["running"] == 1 }
            call.cancel()
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            #expect(try await fleet.stats()["replicas"][0]["calls"] == 2)
            #expect(try await worked(fleet) == [0, 0])
        }
    }

    @Test func `an embedding counts its prompt alone`() async throws {
        try await withFleet { fleet in
            let body = #"{"model":"fake-7b","input":"\#(prompt)"}"#
            _ = try await fleet.send(.POST, "v1/embeddings", port: fleet.addresses.replicas[0], body: body).text
            #expect(try await worked(fleet) == [8, 0])
        }
    }

    @Test func `a reset leaves out what was generated before it`() async throws {
        try await withFleet { fleet in
            _ = try await fleet.chat(prompt, extra: streamed).text
            _ = try await fleet.send(.POST, "control/reset", port: fleet.addresses.control).text
            #expect(try await worked(fleet) == [0, 0])
            _ = try await fleet.chat(prompt, extra: streamed).text
            #expect(try await worked(fleet) == [8, 40])
        }
        let ledger = Ledger()
        var loads = [EngineModel.Load(), EngineModel.Load()]
        loads[1].tokensGenerated = 5
        ledger.reset(loads: loads)
        loads[1].tokensGenerated = 12
        #expect(ledger.report(loads: loads)["replicas"].items.map { $0["generated_tokens"] } == [0, 7])
    }
}
