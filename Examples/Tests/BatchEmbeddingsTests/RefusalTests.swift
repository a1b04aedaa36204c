import Foundation
import Spillway
import Testing

@testable import BatchEmbeddings

@Suite(.serialized, .timeLimit(.minutes(10))) struct RefusalTests {
    /// Two passages of 40 tokens, between such of about 10.
    private func place() throws -> Workplace {
        let long = String(repeating: "word ", count: 31) + "ends."
        var files: [String: String] = [:]
        for number in 0..<20 { files["\(number + 10).txt"] = "Short text number \(number), of ten tokens." }
        files["13x.txt"] = long
        files["25x.txt"] = "Another " + long.dropFirst(8)
        return try Workplace(files)
    }

    @Test func `passages that are refused are noted with the reason, and the rest is embedded`() async throws {
        let place = try place()
        // No request of more than 39 tokens: batches are halved until each one fits, or is a single passage.
        try await withFleet(["--context-limit=39"]) { fleet in
            let job = EmbeddingJob(place, fleet.baseURL) { $0.batchPassages = 8 }
            let (report, _) = try await job.reported()
            #expect(report.ending == nil && report.counts.failed == 2 && report.counts.embedded == 20)
            #expect(try place.lines().count == 20)
            let failures = try place.lines(ResultFiles.failures)
            #expect(failures.map(\.file) == ["13x.txt", "25x.txt"])
            #expect(failures.allSatisfy { $0.reason?.contains("context is 39 tokens") == true && $0.vector == nil })
            #expect(report.text.contains("refused        2 passages"))
            // They are not asked for again.
            let calls = try await fleet.stats.calls, result = try place.result(ResultFiles.failures)
            let (second, _) = try await job.reported()
            #expect(try await fleet.stats.calls == calls)
            #expect(second.counts.known == 22 && second.ending == nil)
            #expect(try place.result(ResultFiles.failures) == result)
        }
        // Unless somebody asks for it, and then they may fare better.
        try await withFleet { fleet in
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { $0.retriesFailed = true }.reported()
            #expect(report.counts.embedded == 2 && report.counts.known == 20)
            #expect(try place.lines().count == 22 && place.result(ResultFiles.failures).isEmpty)
        }
    }

    @Test func `an endpoint that refuses everything ends the run, and blames no text`() async throws {
        let place = try place()
        try await withFleet { fleet in
            try await fleet.faults(#""fault":"content-policy""#)
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { $0.calls.concurrency = 1 }.reported()
            #expect(
                report.ending
                    == .failed(
                        "the endpoint refuses every text: HTTP 400 Bad Request: The request was rejected by the safety system"
                    ))
            #expect(report.counts.failed == 0 && report.calls.requests == 2 && report.left == 22)
            try await fleet.faults()
            let (second, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(second.ending == nil && second.counts.embedded == 22)
        }
    }

    @Test func `a lone text that is refused is blamed when another is not`() async throws {
        let place = try Workplace(["a.txt": "The only text, and it is refused."])
        try await withFleet { fleet in
            try await fleet.faults(#""fault":"content-policy","count":1"#)
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(report.ending == nil && report.counts.failed == 1 && report.calls.requests == 2)
            #expect(try place.lines(ResultFiles.failures).map(\.file) == ["a.txt"])
        }
    }

    @Test func `a model that is not there ends the run with what the endpoint says`() async throws {
        let place = try place()
        try await withFleet { fleet in
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { $0.calls.model = "gone" }.reported()
            guard case .failed(let reason) = report.ending else { return #expect(Bool(false), "\(report)") }
            #expect(reason.contains("HTTP 404") && reason.contains("gone"))
            #expect(
                report.result == nil
                    && !FileManager.default.fileExists(
                        atPath: place.output.appendingPathComponent(ResultFiles.vectors).path)
            )
        }
    }

    @Test func `an endpoint that is not there ends the run when patience ends`() async throws {
        let place = try place()
        // A port on which nobody listens any more.
        var gone = ""
        try await withFleet { gone = $0.baseURL }
        let (report, _) = try await EmbeddingJob(place, gone) { job in
            job.calls.patience = .milliseconds(800)
            job.calls.retries = 1
        }.reported()
        guard case .silence = report.ending else { return #expect(Bool(false), "\(report.text)") }
        #expect(report.ending?.exitCode == 75 && report.left == 22)
    }

    @Test func `a folder without texts is refused`() async throws {
        let place = try Workplace(["a.html": "no"])
        let error = await #expect(throws: InputError.self) {
            try await EmbeddingJob(place, "http://127.0.0.1:1/v1").reported()
        }
        #expect(error?.description == "\(place.input.path) has no texts")
    }

    /// A dollar a token; the budget is for all runs together.
    @Test func `a budget is held over all runs, and the run goes on with a larger one`() async throws {
        let place = try place()
        try await withFleet { fleet in
            func job(_ dollars: Int) -> EmbeddingJob {
                EmbeddingJob(place, fleet.baseURL) { job in
                    (job.batchPassages, job.calls.concurrency) = (1, 2)
                    (job.calls.price, job.calls.budget) = (.dollars(1_000_000), .dollars(dollars))
                }
            }
            let (first, _) = try await job(100).reported()
            #expect(first.ending == .budget && first.ending?.exitCode == 75)
            let tokens = try await fleet.stats.tokens
            #expect(tokens <= 100 && tokens > 60 && first.spent == .dollars(tokens))
            let (again, _) = try await job(100).reported()
            #expect(again.ending == .budget)
            #expect(try await fleet.stats.tokens <= 100)
            let (last, _) = try await job(1_000).reported()
            let total = try await fleet.stats.tokens
            #expect(last.ending == nil && last.left == 0 && last.spentInAll == .dollars(total))
            #expect(total > 200 && first.counts.embedded + again.counts.embedded + last.counts.embedded == 22)
        }
    }
}
