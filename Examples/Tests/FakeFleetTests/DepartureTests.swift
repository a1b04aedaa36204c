import AsyncHTTPClient
import Testing

@testable import FakeFleet

/// Engines that never finish within a test, so that only a departure can free them.
private let endless = ["--decode-rate=0.001", "--slots=1"]

@Suite(.timeLimit(.minutes(10))) struct DepartureTests {
    @Test(arguments: [true, false])
    func `a client that leaves frees its slot and blocks, running or waiting`(streamed: Bool) async throws {
        try await withFleet(endless) { fleet in
            let calls = (0..<2).map { _ in
                Task { try await fleet.chat(extra: #","stream":\#(streamed)"#).text }
            }
            try await fleet.stats { $0["replicas"][0]["running"] == 1 && $0["replicas"][0]["waiting"] == 1 }
            for call in calls {
                call.cancel()
            }
            try await fleet.stats { $0["replicas"][0]["running"] == 0 && $0["replicas"][0]["waiting"] == 0 }
            let page = try await fleet.send(.GET, "metrics", port: fleet.addresses.replicas[0]).text
            #expect(page.contains("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"fake-7b\"} 0.0\n"))
            #expect(try await fleet.stats()["replicas"][0]["completed"] == 0)
        }
    }

    @Test func `a full queue answers 503 with a time to come back`() async throws {
        try await withFleet(endless + ["--max-queue=1"]) { fleet in
            let calls = (0..<2).map { _ in Task { try await fleet.chat().text } }
            try await fleet.stats { $0["replicas"][0]["running"] == 1 && $0["replicas"][0]["waiting"] == 1 }
            let refused = try await fleet.chat()
            #expect(refused.status == .serviceUnavailable)
            #expect(refused.headers.first(name: "retry-after") == "1")
            #expect(try await refused.json["error"]["code"] == "queue_full")
            for call in calls { call.cancel() }
        }
    }

    @Test func `a fleet stops while calls are in progress`() async throws {
        let call = Task { () -> Task<String, any Error>? in
            var call: Task<String, any Error>?
            try await withFleet(endless) { fleet in
                call = Task { try await fleet.chat().text }
                try await fleet.stats { $0["replicas"][0]["running"] == 1 }
            }
            return call
        }
        let abandoned = try #require(try await call.value)
        await #expect(throws: (any Error).self) { try await abandoned.value }
    }
}
