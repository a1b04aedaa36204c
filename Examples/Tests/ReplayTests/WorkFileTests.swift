import Foundation
import Testing

@testable import Replay

@Suite("Work in result files")
struct WorkFileTests {
    /// Writes the naive run with its field `work` replaced, or left out, and reads it back.
    private func read(work: Any?) throws -> RunResult {
        let path = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try SampleRun.naive.write(path: path)
        let url = URL(fileURLWithPath: path)
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        var fields = try #require(json as? [String: Any])
        fields["work"] = work
        try JSONSerialization.data(withJSONObject: fields).write(to: url)
        return try RunResult.read(path: path)
    }

    @Test("an older file has no bill, and everything else as before")
    func older() throws {
        let old = try read(work: nil)
        #expect(old.work == nil)
        #expect(old.total == SampleRun.naive.total)
        let report = Report(runs: [old, SampleRun.spillway])
        #expect(report.billRows[0].contains("not known"))
        #expect(report.billRows[1][3] == "$0.001675")
        #expect(report.billRows[1].last == "–")
    }

    @Test(
        "a count that is missing or cannot be is named",
        arguments: [
            (#"{"answers":{"prompt":1,"generated":1},"unfinished":0}"#, "work.replicas: missing"),
            (
                #"{"replicas":[{"prompt":1}],"answers":{"prompt":1,"generated":1},"unfinished":0}"#,
                "work.replicas[0].generated: missing"
            ),
            (
                #"{"replicas":[{"prompt":1,"generated":1}],"answers":{"prompt":-1,"generated":1},"unfinished":0}"#,
                "work.answers.prompt: -1 is not from 0"
            ),
            (
                #"{"replicas":[{"prompt":1,"generated":9e18}],"answers":{"prompt":1,"generated":1},"unfinished":0}"#,
                "work.replicas[0].generated: 9000000000000000000 is not from 0"
            ),
            (
                #"{"replicas":[{"prompt":1,"generated":1}],"answers":{"prompt":1,"generated":1},"unfinished":-1}"#,
                "work.unfinished: -1"
            ),
            (#"{"replicas":[],"answers":{"prompt":0,"generated":0},"unfinished":0}"#, "work.replicas: 0 are not 1"),
        ])
    func bad(work: String, message: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(work.utf8))
        let error = try #require(throws: InputError.self) { try read(work: value) }
        #expect(error.description.contains(message), "\(error)")
    }

    @Test("replicas that would overflow together are refused")
    func tooMuch() throws {
        let replica = ["prompt": RunResult.Work.most, "generated": 0]
        let work: [String: Any] = [
            "replicas": [replica, replica], "answers": ["prompt": 0, "generated": 0], "unfinished": 0,
        ]
        let error = try #require(throws: InputError.self) { try read(work: work) }
        #expect(error.description.contains("work.replicas: more than"))
    }

    @Test("an older fleet's counters are read, without tokens")
    func olderFleet() throws {
        let text = #"{"phases":{},"replicas":[{"port":9101,"calls":2,"completed":2,"running":1,"waiting":0}]}"#
        let stats = try JSONDecoder().decode(FleetStats.self, from: Data(text.utf8))
        #expect(stats.work == nil)
        #expect(stats.unfinished == 1)
        let oldest = try JSONDecoder().decode(FleetStats.self, from: Data(#"{"phases":{}}"#.utf8))
        #expect(oldest == FleetStats(phases: [:]))
        let new = #"{"phases":{},"replicas":[{"prompt_tokens":7,"generated_tokens":3}]}"#
        let known = try JSONDecoder().decode(FleetStats.self, from: Data(new.utf8))
        #expect(known.work == [Tokens(prompt: 7, generated: 3)])
    }
}
