import AsyncHTTPClient
import FleetFaults
import Foundation
import Testing

@testable import FakeFleet

private let streamed = #","stream":true,"max_tokens":40"#

@Suite(.timeLimit(.minutes(10))) struct FaultTests {
    @Test(arguments: [
        (FaultKind.rateLimit, 429), (.rateLimitBare, 429), (.error500, 500), (.error503, 503),
    ])
    func `a refusal has its status and the API's shape, and is counted`(kind: FaultKind, status: Int) async throws {
        try await withFleet { fleet in
            try await fleet.fault(kind)
            let response = try await fleet.chat(extra: streamed)
            #expect(response.status.code == status)
            #expect(try await !response.json["error"]["message"].string.isEmpty)
            let counts = try await fleet.stats()["phases"]["initial"]
            #expect(counts["faults"] == .object([kind.rawValue: 1]))
            #expect(counts["calls"] == 1)
            #expect(counts["completed"] == 0)
        }
    }

    @Test func `only the full rate limit says when to come back`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.rateLimit, extra: #","retry_after":"7""#)
            let full = try await fleet.chat().headers
            #expect(full.first(name: "retry-after") == "7")
            #expect(full.first(name: "x-ratelimit-remaining-requests") == "0")
            #expect(full.first(name: "x-ratelimit-reset-tokens") == "7s")
            try await fleet.fault(.rateLimitBare, extra: #","retry_after":"7""#)
            let bare = try await fleet.chat().headers
            #expect(!bare.contains { $0.name.contains("retry") || $0.name.contains("ratelimit") })
        }
    }

    @Test func `reset closes the connection before any byte`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.reset)
            let error = await #expect(throws: (any Error).self) { try await fleet.chat(extra: streamed) }
            #expect(error as? HTTPClientError != .deadlineExceeded)
            try await fleet.stats { $0["phases"]["initial"]["faults"]["reset"] != .null }
        }
    }

    @Test func `no answer comes until the client goes`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.noAnswer)
            let call = Task { try await fleet.chat() }
            try await fleet.stats { $0["phases"]["initial"]["faults"]["no-answer"] == 1 }
            #expect(try await fleet.stats()["replicas"][0]["running"] == 0)
            call.cancel()
            await #expect(throws: (any Error).self) { try await call.value }
        }
    }

    @Test func `a slow first token still ends in a whole answer`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.slowFirstToken, extra: #","duration_ms":8000"#)
            #expect(try await fleet.chat(extra: streamed).events.last == "[DONE]")
            try await fleet.stats { $0["phases"]["initial"]["completed"] == 1 }
            #expect(try await fleet.stats()["phases"]["initial"]["faults"] == ["slow-first-token": 1])
        }
    }

    @Test func `a cut stream breaks off after some content`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.cutStream)
            var received = ""
            let error = await #expect(throws: (any Error).self) {
                for try await bytes in try await fleet.chat(extra: streamed).body {
                    received += String(buffer: bytes)
                }
            }
            #expect(error as? HTTPClientError != .deadlineExceeded)
            #expect(received.contains(#""content":""#))
            #expect(!received.contains(#""finish_reason":"stop""#))
            await #expect(throws: (any Error).self) { try await fleet.chat().text }
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            #expect(try await fleet.stats()["replicas"][0]["completed"] == 0)
        }
    }

    @Test func `a stall keeps the connection alive without content until the client goes`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.stall)
            let call = Task {
                var received = ""
                for try await bytes in try await fleet.chat(extra: streamed).body {
                    received += String(buffer: bytes)
                    if received.contains(": keep-alive\n\n: keep-alive\n\n") { break }
                }
                return received
            }
            let received = try await call.value
            #expect(received.contains(#""role":"assistant""#))
            #expect(!received.contains(#""finish_reason":"stop""#))
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
        }
    }

    @Test func `a malformed chunk is the only broken one`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.malformedChunk)
            var events = try await fleet.chat(extra: streamed).events
            #expect(events.removeLast() == "[DONE]")
            let broken = events.filter { (try? JSONValue(parsing: Data($0.utf8))) == nil }
            #expect(broken.count == 1)
            let whole = try await fleet.chat()
            #expect(whole.status == .ok)
            await #expect(throws: DecodingError.self) { try await whole.json }
            #expect(try await fleet.stats()["replicas"][0]["completed"] == 0)
        }
    }

    @Test func `a stream can end well but for its DONE`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.noDone)
            let events = try await fleet.chat(extra: streamed).events
            #expect(events.last?.contains(#""finish_reason":"stop""#) == true)
        }
    }

    @Test func `only long prompts run out of memory`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.outOfMemory)
            #expect(try await fleet.chat(String(repeating: "x", count: 2048)).status == .ok)
            let failed = try await fleet.chat(String(repeating: "x", count: 2052))
            #expect(failed.status == .internalServerError)
            #expect(try await failed.json["error"]["message"].string.contains("CUDA out of memory"))
            #expect(try await fleet.stats()["phases"]["initial"]["faults"] == ["out-of-memory": 1])
        }
    }

    @Test func `an engine out of memory has half its blocks`() async throws {
        try await withFleet(["--kv-blocks=64", "--context-limit=1024"]) { fleet in
            try await fleet.fault(.outOfMemory, extra: #","probability":0"#)
            let failed = try await fleet.chat(extra: #","max_tokens":600"#)
            #expect(failed.status == .internalServerError)
            #expect(try await failed.json["error"]["message"].string.contains("CUDA out of memory"))
            #expect(try await fleet.chat(extra: #","max_tokens":400"#).status == .ok)
            try await fleet.fault(.error503, extra: #","probability":0"#)
            #expect(try await fleet.chat(extra: #","max_tokens":600"#).status == .ok)
        }
    }

    @Test func `a stuck kernel opens the stream and stays healthy, but no token comes`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.stuckKernel)
            let response = try await fleet.chat(extra: streamed)
            #expect(response.status == .ok)
            let port = fleet.addresses.replicas[0]
            #expect(try await fleet.send(.GET, "health", port: port).status == .ok)
            try await fleet.stats { $0["replicas"][0]["running"] == 1 }
            let reading = Task { try await response.text }
            reading.cancel()
            await #expect(throws: (any Error).self) { try await reading.value }
            try await fleet.stats { $0["replicas"][0]["running"] == 0 }
            #expect(try await fleet.stats()["phases"]["initial"]["tokens"] == 0)
        }
    }

    @Test func `embeddings fail too`() async throws {
        try await withFleet { fleet in
            let port = fleet.addresses.replicas[0]
            let body = #"{"model":"fake-7b","input":"text"}"#
            try await fleet.fault(.error500)
            let failed = try await fleet.send(.POST, "v1/embeddings", port: port, body: body)
            #expect(failed.status == .internalServerError)
            try await fleet.fault(.cutStream)
            await #expect(throws: (any Error).self) {
                try await fleet.send(.POST, "v1/embeddings", port: port, body: body).text
            }
        }
    }
}
