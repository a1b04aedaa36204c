import Testing

@testable import Replay

@Suite("Server-sent events")
struct EventStreamParserTests {
    /// Has comments, a name, several data lines, an empty data line, non-ASCII text and a field without a colon.
    private static let text = """
        : keep-alive

        event: error
        data: {"a":
        data:"ü€"}

        id: 7
        retry: 10
        data: one
        data
        data:  two

        : comment
        event: nothing

        data: [DONE]

        data: cut off
        """
    private static let expected = [
        ServerSentEvent(name: "error", data: "{\"a\":\n\"ü€\"}"),
        ServerSentEvent(name: nil, data: "one\n\n two"),
        ServerSentEvent(name: nil, data: "[DONE]"),
    ]

    @Test("any split of the bytes gives the same events", arguments: ["\n", "\r\n", "\r"])
    func splitAnywhere(lineEnd: String) {
        let lines = Self.text.split(separator: "\n", omittingEmptySubsequences: false)
        let bytes = Array(lines.joined(separator: lineEnd).utf8)
        for split in 0...bytes.count {
            var parser = EventStreamParser()
            let events = parser.feed(Array(bytes[..<split])) + parser.feed(Array(bytes[split...]))
            #expect(events == Self.expected, "split at byte \(split)")
        }
        var parser = EventStreamParser()
        #expect(bytes.flatMap { parser.feed([$0]) } == Self.expected)
    }

    @Test("an event comes out as soon as its empty line is there")
    func immediately() {
        var parser = EventStreamParser()
        #expect(parser.feed(Array("data: x\n".utf8)).isEmpty)
        #expect(parser.feed(Array("\r".utf8)) == [ServerSentEvent(name: nil, data: "x")])
        #expect(parser.feed(Array("\n\n".utf8)).isEmpty)
    }
}
