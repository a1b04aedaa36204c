import FleetFaults
import Foundation
import Spillway
import Testing

@testable import BatchEmbeddings
@testable import FakeFleet

@Suite(.serialized, .timeLimit(.minutes(10))) struct RunTests {
    private static let texts = [
        "a.md": text("a", paragraphs: 12), "b/c.txt": text("c", paragraphs: 9), "b/d.md": text("d", paragraphs: 1),
    ]

    @Test func `every passage gets the vector of its own text, in the order of the files`() async throws {
        let place = try Workplace(Self.texts)
        try await withFleet { fleet in
            let (report, notes) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(report.ending == nil && report.left == 0 && notes.isEmpty)
            let lines = try place.lines()
            #expect(lines.count == report.counts.passages && lines.count > 20)
            #expect(report.counts.embedded == lines.count && report.counts.known == 0 && report.files == 3)
            for (line, next) in zip(lines, lines.dropFirst()) {
                #expect((line.file, line.passage) < (next.file, next.passage))
            }
            for line in lines {
                // What the fleet makes of this text, as it would be without batches.
                let vector = EmbeddingVector(try place.text(line), seed: 1).components.map(Float.init)
                #expect(line.floats == vector)
            }
            let stats = try await fleet.stats
            #expect(stats.calls == report.calls.requests && stats.calls == (lines.count + 3) / 4)
            #expect(report.counts.tokens == stats.tokens && report.calls.retries == 0)
            #expect(try place.result(ResultFiles.failures).isEmpty)
            #expect(report.result == place.output.appendingPathComponent("embeddings.jsonl").path)
        }
    }

    @Test func `a second run sends nothing, and a file that changed is embedded again`() async throws {
        let place = try Workplace(Self.texts)
        try await withFleet { fleet in
            let (first, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            let result = try place.result(), calls = try await fleet.stats.calls
            let (second, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(second.calls.requests == 0 && second.counts.known == first.counts.passages)
            #expect(try await fleet.stats.calls == calls && place.result() == result)

            try place.write("b/d.md", Array("Something else.".utf8))
            let (third, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(third.counts.embedded == 1 && third.calls.requests == 1)
            #expect(third.counts.known == third.counts.passages - 1)
            #expect(try place.lines().filter { $0.file == "b/d.md" }.map { try place.text($0) } == ["Something else."])
            // What only moved is not asked for.
            try FileManager.default.moveItem(
                at: place.input.appendingPathComponent("a.md"), to: place.input.appendingPathComponent("z.md"))
            let (fourth, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(fourth.calls.requests == 0)
            #expect(try place.lines().last?.file == "z.md")
        }
    }

    @Test func `another model is embedded beside, into the same journal`() async throws {
        let place = try Workplace(["a.txt": "a"])
        try await withFleet(["--model=other"]) { fleet in
            for _ in 0..<2 {
                for model in ["fake-embed", "other"] {
                    _ = try await EmbeddingJob(place, fleet.baseURL) { $0.calls.model = model }.reported()
                }
            }
            #expect(try await fleet.stats.calls == 2)
        }
    }

    /// The quota is learnt from the answers: 40 requests at once, then 40 a second.
    @Test func `an endpoint that limits requests refuses few`() async throws {
        let place = try Workplace(["a.txt": text("a", paragraphs: 260)])
        try await withFleet(["--request-limit=40", "--limit-window=1"]) { fleet in
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { job in
                job.batchPassages = 2
                job.calls.concurrency = 32
            }.reported()
            let stats = try await fleet.stats
            #expect(report.ending == nil && report.left == 0)
            #expect(stats.calls > 120, "\(stats.calls)")
            #expect(
                stats.rateLimited == report.calls.rateLimited && stats.rateLimited <= stats.calls / 10, "\(report.text)"
            )
        }
    }

    @Test func `an endpoint that limits tokens and does not tell is kept to the rate that was given`() async throws {
        let place = try Workplace(["a.txt": text("a", paragraphs: 60)])
        try await withFleet(["--token-limit=100000", "--limit-window=60"]) { fleet in
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { $0.calls.tokensPerMinute = 100_000 }
                .reported()
            #expect(report.left == 0 && report.calls.rateLimited == 0)
        }
    }

    @Test(
        "an endpoint that fails now and then is asked again",
        arguments: [
            (FaultKind.error500, ""), (.error503, #","retry_after":"0""#), (.reset, ""), (.cutStream, ""),
            (.malformedChunk, ""),
            (.rateLimit, #","retry_after":"1""#), (.rateLimitBare, ""),
        ])
    func transient(kind: FaultKind, extra: String) async throws {
        let place = try Workplace(Self.texts)
        try await withFleet { fleet in
            try await fleet.faults(#""fault":"\#(kind.rawValue)","count":3\#(extra)"#)
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL).reported()
            #expect(report.ending == nil && report.left == 0 && report.counts.failed == 0)
            #expect(report.calls.rateLimited + report.calls.failed == 3, "\(report.text)")
            #expect(try place.lines().count == report.counts.passages)
        }
    }

    @Test func `a call that hangs is given up and made again`() async throws {
        let place = try Workplace(["a.txt": "a"])
        try await withFleet { fleet in
            try await fleet.faults(#""fault":"no-answer","count":1"#)
            let (report, _) = try await EmbeddingJob(place, fleet.baseURL) { $0.calls.timeout = .milliseconds(300) }
                .reported()
            #expect(report.left == 0 && report.calls.retries == 1)
        }
    }
}
