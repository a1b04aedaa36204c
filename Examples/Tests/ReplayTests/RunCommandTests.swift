import Testing

@testable import Replay

@Suite("Flags of run")
struct RunCommandTests {
    private static let good = [
        "--target": "http://127.0.0.1:8080", "--trace": "slice.csv", "--control": "http://127.0.0.1:9100",
        "--faults": "faults.json", "--label": "naive", "--out": "naive.json",
    ]

    private func parse(_ changes: [String: String] = [:]) throws -> RunCommand {
        let flags = Self.good.merging(changes) { $1 }
        return try RunCommand.parse(flags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    }

    @Test("the defaults are those of the demo")
    func defaults() throws {
        let command = try parse()
        #expect(command.speed == 10)
        #expect(command.model == "chat")
        #expect(command.sloTtftMs == 2000)
        #expect(command.clientTimeout == 60)
        #expect(command.limit == nil)
        #expect(command.seed == 1)
    }

    @Test(
        "a bad value is named with its flag",
        arguments: [
            ("--target", "127.0.0.1"), ("--control", "ftp://host"), ("--speed", "0"), ("--speed", "nan"),
            ("--slo-ttft-ms", "-5"), ("--client-timeout", "inf"), ("--limit", "0"), ("--label", "a b"),
            ("--out", "no-such-folder/x.json"), ("--seed", "-1"),
        ])
    func badValue(flag: String, value: String) throws {
        let error = try #require(throws: (any Error).self) { try parse([flag: value]) }
        let message = RunCommand.message(for: error)
        #expect(message.contains(flag))
        #expect(message.contains(value))
    }
}
