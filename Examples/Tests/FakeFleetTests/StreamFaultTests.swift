import FleetFaults
import Foundation
import Testing

@testable import FakeFleet

private let streamed = #","stream":true,"max_tokens":40"#

@Suite(.timeLimit(.minutes(10))) struct StreamFaultTests {
    @Test(arguments: [
        (FaultKind.contextLength, "context_length_exceeded"), (.contentPolicy, "content_policy_violation"),
    ])
    func `a refusal of the prompt has OpenAI's code`(kind: FaultKind, code: String) async throws {
        try await withFleet { fleet in
            try await fleet.fault(kind)
            let response = try await fleet.chat(extra: streamed)
            #expect(response.status == .badRequest)
            #expect(try await response.json["error"]["code"] == .string(code))
        }
    }

    @Test func `a filtered answer breaks off and says why`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.contentFilter)
            let choice = try await fleet.chat(extra: #","max_tokens":40"#).json["choices"][0]
            #expect(choice["finish_reason"] == "content_filter")
            #expect(choice["message"]["content"].string.split(separator: " ").count == 9)
            let text = try await fleet.chat(extra: streamed).text
            #expect(text.contains(#""finish_reason":"content_filter""#))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
            #expect(try await fleet.stats()["replicas"][0]["completed"] == 0)
        }
    }

    @Test(arguments: [(FaultKind.errorEvent, 0), (.lateErrorEvent, 2)])
    func `an error event ends a stream`(kind: FaultKind, contents: Int) async throws {
        try await withFleet { fleet in
            try await fleet.fault(kind)
            let response = try await fleet.chat(extra: streamed)
            #expect(response.status == .ok)
            let events = try await response.events
            #expect(events.last?.contains(#"{"error":{"#) == true)
            #expect(events.count { $0.contains(#""content":""#) } == contents + min(contents, 1))
            #expect(try await fleet.chat().status == .ok)
        }
    }

    @Test func `a dribble is slow, kept alive, and whole in the end`() async throws {
        try await withFleet { fleet in
            let whole = try await fleet.chat(extra: streamed).events.filter { $0.contains("content") }
            try await fleet.fault(.dribble, extra: #","duration_ms":3000"#)
            let text = try await fleet.chat(extra: streamed).text
            #expect(text.contains(": keep-alive\n\n"))
            #expect(text.hasSuffix("data: [DONE]\n\n"))
            let events = text.components(separatedBy: "\n\n").filter { $0.contains(#""content""#) }
            // The role and two chunks as ever, then one token each.
            #expect(events.count == 3 + 31)
            #expect(try contents(of: events.map { String($0.dropFirst(6)) }) == contents(of: whole))
        }
    }

    @Test func `an open end says that the answer is whole, and nothing after it`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.openEnd)
            var received = ""
            for try await bytes in try await fleet.chat(extra: streamed).body {
                received += String(buffer: bytes)
                if received.contains(": keep-alive") { break }
            }
            #expect(received.contains(#""finish_reason":"stop""#))
            #expect(!received.contains("[DONE]"))
        }
    }

    private func contents(of events: [String]) throws -> String {
        try events.map { try JSONValue(parsing: Data($0.utf8))["choices"][0]["delta"]["content"].string }.joined()
    }
}
