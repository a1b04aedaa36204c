#if HTTPClientSupport
import SpillwayHTTPClient
import Testing

@Suite("Server-sent events")
struct ServerSentEventParserTests {
    private static let text =
        "\u{FEFF}: hello\r\ndata: one\r\n\r\n:\r\nid: 7\r\nevent: päng\r\ndata: two\r\ndata:three\r\ndata\r\n\r\n"
        + "event: empty\r\n\r\nretry: 5\r\ndata: [DONE]\r\n\r\n"
    private static let events = [
        ServerSentEvent(data: "one"),
        ServerSentEvent(event: "päng", data: "two\nthree\n", id: "7"),
        ServerSentEvent(data: "[DONE]", id: "7"),
    ]

    private func text(_ ending: String) -> [UInt8] {
        Array(Self.text.split(separator: "\r\n", omittingEmptySubsequences: false).joined(separator: ending).utf8)
    }

    @Test("gives the same events wherever the bytes are split", arguments: ["\r\n", "\n", "\r"])
    func splits(ending: String) throws {
        let bytes = text(ending)
        for split in 0...bytes.count {
            var parser = ServerSentEventParser()
            var events = try parser.feed(bytes[..<split])
            events += try parser.feed(bytes[split...])
            #expect(events == Self.events, "split at \(split)")
            #expect(parser.comments == 2)
        }
        var parser = ServerSentEventParser()
        let events = try bytes.flatMap { try parser.feed(CollectionOfOne($0)) }
        #expect(events == Self.events)
        let unfinished = parser.finish()
        #expect(!unfinished)
    }

    @Test("drops an event that no blank line has ended")
    func unfinished() throws {
        var parser = ServerSentEventParser()
        let events = try parser.feed(Array("data: half\n".utf8))
        #expect(events.isEmpty)
        let unfinished = parser.finish()
        #expect(unfinished)
        #expect(try parser.feed(Array("\n".utf8)).isEmpty)
    }

    @Test("ignores an id with a null byte, keeps one space of a value, and knows no other field")
    func fields() throws {
        var parser = ServerSentEventParser()
        let events = try parser.feed(Array("id: a\nid: b\0\nother: x\ndata:  two spaces\n\n".utf8))
        #expect(events == [ServerSentEvent(data: " two spaces", id: "a")])
    }

    @Test(
        "refuses an event that is too large, in one line or many",
        arguments: ["data: 0123456789\n\n", "data: 01\ndata: 23\ndata: 4\n"])
    func bound(text: String) throws {
        var parser = ServerSentEventParser(limit: 10)
        #expect(throws: ServerSentEventParser.TooLarge(limit: 10)) { try parser.feed(Array(text.utf8)) }
        var wider = ServerSentEventParser(limit: 100)
        #expect(throws: Never.self) { try wider.feed(Array(text.utf8)) }
    }
}
#endif
