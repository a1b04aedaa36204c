import Testing

@testable import FakeFleet

@Suite(.timeLimit(.minutes(10))) struct PrefillTests {
    private func ask(
        _ fleet: FleetClient, begun: String? = nil, extra: String = ""
    ) async throws -> (text: String, reason: String, tokens: JSONValue) {
        let begun = begun.map { #",{"role":"assistant","content":"\#($0)"}"# } ?? ""
        let body = #"{"model":"fake-7b","messages":[{"role":"user","content":"hello"}\#(begun)]\#(extra)}"#
        let port = fleet.addresses.replicas[0]
        let answer = try await fleet.send(.POST, "v1/chat/completions", port: port, body: body).json
        let choice = answer["choices"][0]
        return (
            choice["message"]["content"].string, choice["finish_reason"].string, answer["usage"]["completion_tokens"]
        )
    }

    @Test(arguments: [1, 7, 40, 41, 200])
    func `an answer goes on exactly where the prefill ends`(length: Int) async throws {
        try await withFleet { fleet in
            let extra = #","answer_tokens":60,"max_tokens":100"#
            let whole = try await ask(fleet, extra: extra)
            #expect(whole.reason == "stop")
            #expect(whole.tokens == 60)
            let begun = String(whole.text.prefix(length))
            let words = whole.text.split(separator: " ").count - begun.split(separator: " ").count
            let rest = try await ask(fleet, begun: begun, extra: extra)
            #expect(begun + rest.text == whole.text)
            #expect(rest.tokens == .count(words))
        }
    }

    @Test func `a prefill of the whole answer leaves nothing to say`() async throws {
        try await withFleet { fleet in
            let extra = #","answer_tokens":10"#
            let whole = try await ask(fleet, extra: extra)
            let rest = try await ask(fleet, begun: whole.text, extra: extra)
            #expect(rest.text == "")
            #expect(rest.tokens == 0)
        }
    }

    @Test func `an answer cut by its limit says so`() async throws {
        try await withFleet { fleet in
            let cut = try await ask(fleet, extra: #","answer_tokens":60,"max_tokens":20"#)
            #expect(cut.reason == "length")
            #expect(cut.tokens == 20)
            let rest = try await ask(fleet, begun: cut.text, extra: #","answer_tokens":60,"max_tokens":40"#)
            #expect(rest.reason == "stop")
            #expect(cut.text + rest.text == (try await ask(fleet, extra: #","answer_tokens":60"#)).text)
        }
    }

    @Test func `a prefill that is no beginning of the answer is a prompt like any other`() async throws {
        try await withFleet { fleet in
            let answers = [
                try await ask(fleet, begun: "Certainly! ", extra: #","max_tokens":20"#),
                try await ask(fleet, begun: "Of course! ", extra: #","max_tokens":20"#),
            ]
            #expect(answers[0].text != answers[1].text)
            #expect(answers.allSatisfy { $0.tokens == 20 })
        }
    }

    @Test func `a replica can refuse to go on, and still serves others`() async throws {
        try await withFleet { fleet in
            try await fleet.fault(.noPrefill)
            let messages = #"[{"role":"user","content":"hello"},{"role":"assistant","content":"a "}]"#
            let refused = try await fleet.send(
                .POST, "v1/chat/completions", port: fleet.addresses.replicas[0],
                body: #"{"model":"fake-7b","messages":\#(messages)}"#)
            #expect(refused.status == .badRequest)
            #expect(try await refused.json["error"]["type"] == "invalid_request_error")
            #expect(try await fleet.chat().status == .ok)
        }
    }

    @Test func `only an answer that was begun can be asked for explicitly`() async throws {
        try await withFleet { fleet in
            let refused = try await fleet.chat(extra: #","continue_final_message":true"#)
            #expect(refused.status == .badRequest)
            #expect(try await refused.json["error"]["param"] == "continue_final_message")
        }
    }
}
