import Foundation
import Testing

@testable import Replay

@Suite("Fault scripts")
struct FaultScriptTests {
    private func parse(_ text: String) throws -> FaultScript {
        try FaultScript.parse(Data(text.utf8))
    }

    /// A script whose only step has one fault with these fields.
    private func script(fault: String) -> String {
        #"{"phases":{"during":[60,240]},"steps":[{"at":60,"faults":[{\#(fault)}]}]}"#
    }

    @Test("a script is read with all its fields")
    func reads() throws {
        let script = try parse(
            script(fault: #""replica":"all","fault":"stall","probability":0.5,"duration_ms":20,"retry_after":"2""#))
        let fault = Fault(replica: .all, fault: .stall, probability: 0.5, durationMs: 20, retryAfter: "2")
        #expect(script.steps == [.init(at: 60, faults: [fault])])
    }

    @Test("a fault is sent to the fleet as it was written")
    func encodes() throws {
        let fault = try #require(
            try parse(script(fault: #""replica":3,"fault":"slow-first-token","duration_ms":8000"#)).steps.first?.faults
                .first)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(fault), as: UTF8.self)
        #expect(text == #"{"duration_ms":8000,"fault":"slow-first-token","replica":3}"#)
    }

    @Test("the window decides the phase, its end excluded")
    func phases() throws {
        let script = try parse(#"{"phases":{"during":[60,240]},"steps":[]}"#)
        #expect([0, 59.9].map(script.phase) == [.before, .before])
        #expect([60, 239.9].map(script.phase) == [.during, .during])
        #expect([240, 900].map(script.phase) == [.after, .after])
    }

    @Test(
        "a bad fault is named by field and value",
        arguments: [
            (#""replica":1,"fault":"gremlin""#, "steps[0].faults[0].fault: ", "gremlin"),
            (#""replica":0,"fault":"reset""#, "steps[0].faults[0].replica: ", "0"),
            (#""replica":"both","fault":"reset""#, "steps[0].faults[0].replica: ", "all"),
            (#""fault":"reset""#, "steps[0].faults[0].replica: ", "missing"),
            (#""replica":1,"fault":"reset","probability":1.5"#, "steps[0].faults[0].probability: ", "1.5"),
            (#""replica":1,"fault":"reset","probabilty":0.5"#, "steps[0].faults[0].probabilty: ", "unknown"),
            (#""replica":1,"fault":"stall","duration_ms":-1"#, "steps[0].faults[0].duration_ms: ", "-1"),
            (#""replica":1,"fault":"stall","retry_after":2"#, "steps[0].faults[0].retry_after: ", "String"),
        ])
    func badFault(fault: String, field: String, value: String) throws {
        try expectComplaint(about: script(fault: fault), field: field, value: value)
    }

    @Test(
        "a bad script is named by field and value",
        arguments: [
            (#"{"steps":[]}"#, "phases: ", "missing"),
            (#"{"phases":{"during":[60]},"steps":[]}"#, "phases.during: ", "[60.0]"),
            (#"{"phases":{"during":[60,60]},"steps":[]}"#, "phases.during: ", "60"),
            (#"{"phases":{"during":[-1,60]},"steps":[]}"#, "phases.during: ", "-1"),
            (#"{"phases":{"during":[1,2]},"steps":[{"at":-3,"faults":[]}]}"#, "steps[0].at: ", "-3"),
            (
                #"{"phases":{"during":[1,2]},"steps":[{"at":3,"faults":[]},{"at":3,"faults":[]}]}"#, "steps[1].at: ",
                "not later"
            ),
            (#"{"phases":{"during":[1,2]},"steps":[{"at":3,"fault":[]}]}"#, "steps[0].faults: ", "missing"),
            (#"{"phases":{"during":[1,2],"x":1},"steps":[]}"#, "phases.x: ", "unknown"),
            ("{", "not valid JSON", ""),
        ])
    func badScript(text: String, field: String, value: String) throws {
        try expectComplaint(about: text, field: field, value: value)
    }

    @Test("the demo's script is valid")
    func demo() throws {
        let examples = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let script = try FaultScript.parse(Data(contentsOf: examples.appending(path: "Data/faults.json")))
        #expect(script.steps.map(\.at) == [60, 120, 180, 240])
        #expect(script.steps.last?.faults.isEmpty == true)
        #expect(script.steps[0].faults.last?.summary == "rate-limit-bare (50%) on replica 4")
    }

    /// Parsing fails, and the error as shown to the user starts with the field and has the value.
    private func expectComplaint(about text: String, field: String, value: String) throws {
        let error = try #require(throws: (any Error).self) { try parse(text) }
        let shown = InputError(error, in: "faults.json").description
        #expect(shown.hasPrefix("faults.json: \(field)"), "\(shown)")
        #expect(value.isEmpty || shown.contains(value), "\(shown)")
    }
}
