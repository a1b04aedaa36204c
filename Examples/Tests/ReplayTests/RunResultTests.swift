import Foundation
import Testing

@testable import Replay

@Suite("Results")
struct RunResultTests {
    private let naive = SampleRun.naive

    @Test("requests count in the phase of their arrival, by outcome")
    func phases() throws {
        let during = try #require(naive.phases[.during])
        #expect(during.requests == 4)
        #expect(during.good == 1)
        #expect(during.truncated == 1)
        #expect(during.errors == ["http-503": 1, "timeout": 1])
        #expect(during.upstreamCalls == 9)
        #expect(during.wasted == 8)
        #expect(naive.total.requests == 12)
        #expect(naive.total.good == 9)
        #expect(naive.total.upstreamCalls == 16)
    }

    @Test("waste is never below 0")
    func neverNegative() {
        #expect(naive.phases[.after]?.good == 4)
        #expect(naive.phases[.after]?.upstreamCalls == 3)
        #expect(naive.phases[.after]?.wasted == 0)
    }

    @Test("first-token times are those of good requests, and the target is inclusive")
    func firstToken() {
        // Good ones are 0.25…1, then 2…3 in steps of a quarter.
        #expect(naive.total.ttft.p50 == 2)
        #expect(naive.total.ttft.p99 == 3)
        #expect(naive.total.withinSLO == 5)
    }

    @Test("the timeline has every second once")
    func timeline() {
        #expect(naive.timeline.arrivals == [2, 2, 2, 2, 2, 2])
        #expect(naive.timeline.good == [2, 2, 0, 1, 2, 2])
        #expect(naive.timeline.failed == [0, 0, 2, 1, 0, 0])
        // The last second looks back over five: 0.75, 1, 2, 2.25, 2.5, 2.75, 3.
        #expect(naive.timeline.ttftP50[5] == 2.25)
        #expect(naive.timeline.ttftP95[0] == 0.5)
    }

    @Test("a second without any good request has no percentile")
    func gap() {
        let bad = RequestRecord(
            arrival: 7, tokens: .zero, outcome: .failed("timeout"), firstToken: nil, total: 60, lag: 0)
        let timeline = RunResult.Timeline(of: [bad])
        #expect(timeline.arrivals == [0, 0, 0, 0, 0, 0, 0, 1])
        #expect(timeline.ttftP95 == [Double?](repeating: nil, count: 8))
    }

    @Test("waste over time compares calls with the good ones that had arrived")
    func samples() {
        #expect(naive.calls.map(\.calls) == [0, 9, 16])
        #expect(naive.calls.map(\.good) == [0, 4, 9])
        #expect(naive.calls.map(\.wasted) == [0, 5, 7])
    }

    @Test("a run without requests is summed up, too")
    func empty() {
        let timeline = RunResult.Timeline(of: [])
        #expect(timeline.arrivals.isEmpty)
        #expect(RunResult.Summary(of: [], upstreamCalls: 0, sloTTFTMs: 1).wasted == 0)
    }

    @Test("a result file reads back as it was written")
    func roundTrip() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try naive.write(path: path)
        #expect(try RunResult.read(path: path) == naive)
    }

    @Test("a bad result file is named", arguments: ["{", "{}", #"{"format":1,"settings":{"label":3}}"#])
    func badFile(text: String) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let missing = try #require(throws: InputError.self) { try RunResult.read(path: path) }
        #expect(missing.description.hasPrefix(path))
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let bad = try #require(throws: InputError.self) { try RunResult.read(path: path) }
        #expect(bad.description.hasPrefix("\(path): "))
    }
}
