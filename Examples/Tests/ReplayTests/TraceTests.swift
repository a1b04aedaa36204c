import Testing

@testable import Replay

@Suite("Trace files")
struct TraceTests {
    private let good = """
        TIMESTAMP,ContextTokens,GeneratedTokens
        2023-11-16 23:59:59.5000000,958,89
        2023-11-17 00:00:00.2500000,1031,74
        2023-11-17 00:01:00,7,1

        """

    @Test("arrivals count from the first request, also across midnight")
    func arrivals() throws {
        let trace = try Trace(csv: good)
        #expect(trace.requests.map(\.arrival) == [0, 0.75, 60.5])
        #expect(trace.requests[1] == .init(arrival: 0.75, promptTokens: 1031, generatedTokens: 74))
        #expect(trace.duration == 60.5)
    }

    @Test("lines may end with CRLF")
    func carriageReturns() throws {
        let text = good.split(separator: "\n").joined(separator: "\r\n")
        #expect(try Trace(csv: text) == Trace(csv: good))
    }

    @Test("the limit keeps the first requests")
    func limit() throws {
        #expect(try Trace(csv: good, limit: 2).requests.count == 2)
        #expect(try Trace(csv: good, limit: 9).requests.count == 3)
    }

    @Test(
        "a bad line is named by its number, with field and value",
        arguments: [
            ("2023-11-17 00:00:01,5", "2 fields instead of 3"),
            ("2023-11-17 00:00:01,5,6,7", "4 fields instead of 3"),
            ("2023-13-17 00:00:01,5,6", "TIMESTAMP '2023-13-17 00:00:01'"),
            ("2023-02-29 00:00:01,5,6", "TIMESTAMP '2023-02-29 00:00:01'"),
            ("2023-11-17 24:00:01,5,6", "TIMESTAMP '2023-11-17 24:00:01'"),
            ("yesterday,5,6", "TIMESTAMP 'yesterday'"),
            ("2023-11-17 00:00:01,five,6", "ContextTokens 'five'"),
            ("2023-11-17 00:00:01,0,6", "ContextTokens '0'"),
            ("2023-11-17 00:00:01,5,-6", "GeneratedTokens '-6'"),
            ("2023-11-17 00:00:01,5,99999999999999999999", "GeneratedTokens '99999999999999999999'"),
            ("2023-11-16 00:00:00,5,6", "TIMESTAMP is earlier than the one before it"),
        ])
    func badLine(line: String, complaint: String) throws {
        let lines = good.split(separator: "\n")
        let text = (lines[0...1] + [line[...]] + lines[2...]).joined(separator: "\n")
        let error = try #require(throws: InputError.self) { try Trace(csv: text) }
        #expect(error.description.hasPrefix("line 3: \(complaint)"))
        #expect(!error.description.contains("line 4"))
    }

    @Test("many bad lines are told by their first five and their count")
    func manyBadLines() throws {
        let text = Trace.header + String(repeating: "\nbad", count: 8)
        let error = try #require(throws: InputError.self) { try Trace(csv: text) }
        #expect(error.description.contains("line 2: 1 fields"))
        #expect(error.description.contains("line 6: 1 fields"))
        #expect(!error.description.contains("line 7"))
        #expect(error.description.hasSuffix("3 more bad lines"))
    }

    @Test("a file without header or without requests is refused", arguments: ["", "a,b,c\n1,2,3", Trace.header])
    func empty(text: String) {
        #expect(throws: InputError.self) { try Trace(csv: text) }
    }
}
