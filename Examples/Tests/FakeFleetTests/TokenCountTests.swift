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

    @Test func `a call that the engine never computed counts nothing`() async throws {
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
    }

    /// What a ledger reports of one engine that had `before` at the reset and has `load` now, with one call begun since.
    private func worked(_ before: EngineModel.Load, _ load: EngineModel.Load) -> [JSONValue] {
        let ledger = Ledger()
        ledger.reset(loads: [before])
        ledger.began(ledger.begin(replica: 1))
        let replica = ledger.report(loads: [load])["replicas"][0]
        return [replica["prompt_tokens"], replica["generated_tokens"]]
    }

    @Test func `a prompt that was read in part counts in part, and what the cache had counts`() {
        var (before, load) = (EngineModel.Load(), EngineModel.Load())
        (before.prefixQueries, before.tokensComputed, before.tokensGenerated) = (1000, 1004, 5)
        // One call of 100 tokens, 32 of them cached, and 10 generated; one of 500 that was aborted after 200.
        (load.prefixQueries, load.prefixHits) = (1600, 32)
        (load.tokensComputed, load.tokensGenerated) = (1004 + 68 + 9 + 200, 15)
        #expect(worked(before, load) == [300, 10])
    }

    @Test func `what is computed again after a preemption is not charged twice`() {
        var load = EngineModel.Load()
        // 100 tokens and 10 generated, all of it computed twice.
        (load.prefixQueries, load.tokensComputed, load.tokensGenerated) = (100, 109 + 105, 10)
        #expect(worked(.init(), load) == [100, 10])
    }

    @Test func `a real prompt that was left half read counts in part`() async throws {
        // A step of 16 tokens takes 16 s of simulated time, so that only part of the prompt is read before the client goes.
        let slow = ["--speed=100", "--prefill-rate=1", "--token-budget=16", "--slots=4"]
        try await withFleet(slow) { fleet in
            let call = Task { try await fleet.chat(String(repeating: "word", count: 4000), extra: streamed).text }
            try await fleet.stats { $0["replicas"][0]["prompt_tokens"] != 0 }
            call.cancel()
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            guard case .number(let read) = try await worked(fleet)[0] else { return #expect(Bool(false), "no count") }
            #expect(read >= 16 && read < 4000 && read.truncatingRemainder(dividingBy: 16) == 0)
            #expect(try await worked(fleet)[1] == 0)
        }
    }
}
