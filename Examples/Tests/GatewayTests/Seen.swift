import AsyncHTTPClient
import Foundation
import Testing

@testable import FakeFleet
@testable import Gateway

/// What a client of the gateway saw of one answer.
struct Seen {
    let status: UInt
    let headers: [String: String]
    /// The answer, as far as it came.
    var text = ""
    var finish: String?
    /// Whether the stream said that it was at its end; always for an answer in one piece.
    var isDone = false
    /// The error object; nil: there was none.
    var error: JSONValue?
    /// What came after an error.
    var afterError = 0

    /// The error's code; nil: there was none.
    var code: JSONValue? { error?["code"] }
    /// The upstream that the gateway says has answered.
    var upstream: String? { headers["x-spillway-upstream"] }

    /// Reads an answer to its end.
    init(_ response: HTTPClientResponse) async throws {
        status = UInt(response.status.code)
        headers = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { $1 }
        let body = try await response.text
        guard headers["content-type"]?.hasPrefix("text/event-stream") == true else {
            let json = try JSONValue(parsing: Data(body.utf8))
            error = json["error"] == .null ? nil : json["error"]
            let choice = json["choices"][0]
            (text, isDone) = (choice["message"]["content"].string, true)
            finish = choice["finish_reason"] == .null ? nil : choice["finish_reason"].string
            return
        }
        for event in body.components(separatedBy: "\n\n") where event.hasPrefix("data: ") {
            if error != nil { afterError += 1 }
            let data = event.dropFirst(6)
            if data == "[DONE]" {
                isDone = true
                continue
            }
            let json = try JSONValue(parsing: Data(data.utf8))
            if json["error"] != .null { error = json["error"] }
            let choice = json["choices"][0]
            text += choice["delta"]["content"].string
            if choice["finish_reason"] != .null { finish = choice["finish_reason"].string }
        }
    }

    /// Checks that this is the whole answer and nothing else.
    func isWhole(_ answer: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(status == 200, sourceLocation: location)
        #expect(error == nil, sourceLocation: location)
        #expect(text == answer, sourceLocation: location)
        #expect(finish == "stop", sourceLocation: location)
        #expect(isDone, sourceLocation: location)
    }

    /// Checks that this is one clear error, after a beginning of `answer` if anything, and nothing that looks like an end.
    func isError(_ code: String?, after answer: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(self.code == code.map { .string($0) } ?? .null, sourceLocation: location)
        #expect(error?["message"].string.isEmpty == false, sourceLocation: location)
        #expect(answer.hasPrefix(text), sourceLocation: location)
        #expect(finish == nil, sourceLocation: location)
        #expect(afterError == 0, sourceLocation: location)
        #expect(!isDone || status >= 400, sourceLocation: location)
    }
}

extension Bench {
    /// A limit on the answer's tokens that it does not reach, and its own length.
    static let length = #","max_tokens":100,"answer_tokens":40"#

    /// Asks the gateway, and reads the answer to its end.
    func ask(streamed: Bool = true, extra: String = "") async throws -> Seen {
        try await Seen(chat(Self.length + #","stream":\#(streamed)"# + extra))
    }

    /// What one healthy replica answers; counted nowhere.
    func healthyAnswer() async throws -> String {
        let model = gateway.configuration.models[0].targets[0].model
        let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]\#(Self.length)}"#
        let answer = try await Seen(send(.POST, "v1/chat/completions", port: fleet.replicas[0], body: body))
        #expect(try await send(.POST, "control/reset", port: fleet.control).status == .ok)
        return answer.text
    }

    /// Ends all faults, and checks that the gateway serves at once.
    func servesWell(_ answer: String, _ location: SourceLocation = #_sourceLocation) async throws {
        try await faults()
        try await ask().isWhole(answer, location)
        try await ask(streamed: false).isWhole(answer, location)
    }
}
