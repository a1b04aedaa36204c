import FleetFaults
import Foundation
import Testing

@testable import FakeFleet

private func parse(_ json: String) throws -> [FaultRule] {
    try FaultRule.list(from: JSONValue(parsing: Data(json.utf8)), replicas: 8)
}

@Suite struct FaultRuleTests {
    @Test(arguments: FaultKind.allCases)
    func `every kind is known by its name`(kind: FaultKind) throws {
        #expect(try parse(#"[{"replica":3,"fault":"\#(kind.rawValue)"}]"#) == [.init(replica: 3, kind: kind)])
    }

    @Test func `all fields are read and written back`() throws {
        let json = """
            [{"replica":"all","fault":"rate-limit","probability":0.5,"count":3,"duration_ms":20,"retry_after":"2"}]
            """
        let rules = try parse(json)
        let expected = FaultRule(
            replica: nil,
            kind: .rateLimit,
            probability: 0.5,
            count: 3,
            durationMilliseconds: 20,
            retryAfter: "2"
        )
        #expect(rules == [expected])
        #expect(try FaultRule.list(from: .array(rules.map(\.json)), replicas: 8) == rules)
    }

    @Test func `an empty array is no faults`() throws {
        #expect(try parse("[]").isEmpty)
    }

    @Test(arguments: [
        (#"{}"#, "faults", "{}"),
        (#"[3]"#, "faults[0]", "3"),
        (#"[{"replica":1}]"#, "faults[0].fault", "missing"),
        (#"[{"replica":1,"fault":7}]"#, "faults[0].fault", "7"),
        (#"[{"replica":1,"fault":"error-501"}]"#, "faults[0].fault", "error-501"),
        (#"[{"fault":"reset"}]"#, "faults[0].replica", "missing"),
        (#"[{"replica":0,"fault":"reset"}]"#, "faults[0].replica", "0"),
        (#"[{"replica":9,"fault":"reset"}]"#, "faults[0].replica", "9"),
        (#"[{"replica":1.5,"fault":"reset"}]"#, "faults[0].replica", "1.5"),
        (#"[{"replica":"some","fault":"reset"}]"#, "faults[0].replica", "some"),
        (
            #"[{"replica":1,"fault":"reset"},{"replica":1,"fault":"reset","probability":1.1}]"#,
            "faults[1].probability", "1.1"
        ),
        (#"[{"replica":1,"fault":"reset","probability":-0.1}]"#, "faults[0].probability", "-0.1"),
        (#"[{"replica":1,"fault":"reset","probability":"1"}]"#, "faults[0].probability", "\"1\""),
        (#"[{"replica":1,"fault":"reset","count":0}]"#, "faults[0].count", "0"),
        (#"[{"replica":1,"fault":"stall","duration_ms":-5}]"#, "faults[0].duration_ms", "-5"),
        (#"[{"replica":1,"fault":"rate-limit","retry_after":2}]"#, "faults[0].retry_after", "2"),
        (#"[{"replica":1,"fault":"rate-limit","retry_after":"1\r\n"}]"#, "faults[0].retry_after", #"1\r\n"#),
        (#"[{"replica":1,"fault":"reset","probabilty":0.5}]"#, "faults[0].probabilty", "0.5"),
    ])
    func `a bad field is named with its value`(json: String, param: String, value: String) throws {
        let error = try #require(throws: APIError.self) { try parse(json) }
        #expect(error.status == .badRequest)
        #expect(error.param == param)
        #expect(error.message.contains(param))
        #expect(error.message.contains(value))
    }

    @Test func `the first rule that fits and wins its draw strikes`() {
        let board = FaultBoard(seed: 1)
        board.rules = [
            .init(replica: 2, kind: .reset),
            .init(replica: 1, kind: .stall, probability: 0),
            .init(replica: nil, kind: .outOfMemory),
            .init(replica: nil, kind: .noDone),
        ]
        #expect(board.draw(replica: 2, streamed: true, promptTokens: 1)?.kind == .reset)
        #expect(board.draw(replica: 1, streamed: true, promptTokens: 513)?.kind == .outOfMemory)
        #expect(board.draw(replica: 1, streamed: true, promptTokens: 512)?.kind == .noDone)
        #expect(board.draw(replica: 1, streamed: false, promptTokens: 512) == nil)
    }

    @Test func `a rule with a count is over after that many calls, and counts anew when it is set again`() {
        let board = FaultBoard(seed: 1)
        for _ in 0..<2 {
            board.rules = [.init(replica: 1, kind: .error500, count: 2), .init(replica: nil, kind: .reset)]
            _ = board.draw(replica: 2, streamed: true, promptTokens: 1)
            let drawn = (0..<3).map { _ in board.draw(replica: 1, streamed: true, promptTokens: 1)?.kind }
            #expect(drawn == [.error500, .error500, .reset])
        }
    }

    @Test func `only a call that begins the answer is refused for it`() {
        let board = FaultBoard(seed: 1)
        board.rules = [.init(replica: nil, kind: .noPrefill)]
        #expect(board.draw(replica: 1, streamed: true, promptTokens: 1) == nil)
        #expect(board.draw(replica: 1, streamed: false, promptTokens: 1, isPrefilled: true)?.kind == .noPrefill)
    }

    @Test func `a probability is met over many draws, the same for the same seed`() {
        let boards = [FaultBoard(seed: 5), FaultBoard(seed: 5)]
        let strikes = boards.map { board in
            board.rules = [.init(replica: nil, kind: .error500, probability: 0.3)]
            return (0..<2000).map { _ in board.draw(replica: 1, streamed: true, promptTokens: 1) != nil }
        }
        #expect(strikes[0] == strikes[1])
        #expect((500...700).contains(strikes[0].count { $0 }))
    }
}
