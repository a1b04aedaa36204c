import Foundation
import Spillway
import Testing

@testable import BatchEmbeddings

/// The program itself, killed and interrupted.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KillTests {
    private static let passageTokens = 40

    private func place() throws -> Workplace {
        try Workplace([
            "a.md": text("a", paragraphs: 30), "b/c.txt": text("c", paragraphs: 25), "d.md": text("d", paragraphs: 5),
        ])
    }

    /// A run of the program that has been started.
    private final class Run: @unchecked Sendable {
        private let process = Process()
        private let output = Pipe(), errors = Pipe()

        init(_ place: Workplace, _ fleet: TestFleet, to output: URL, _ flags: [String] = []) throws {
            process.executableURL = try Self.program()
            process.arguments =
                [
                    "--input", place.input.path, "--endpoint", fleet.baseURL + "/embeddings", "--model", "fake-embed",
                    "--output", output.path, "--passage-tokens", "\(passageTokens)", "--overlap-tokens", "5",
                    "--batch-passages", "2", "--batch-tokens", "100", "--concurrency", "4",
                ] + flags
            process.standardOutput = self.output
            process.standardError = errors
            try process.run()
        }

        var isRunning: Bool { process.isRunning }

        func signal(_ number: Int32) { kill(process.processIdentifier, number) }

        /// How it ended, and what it said.
        struct End: Sendable {
            /// What it exited with, or the signal.
            let code: Int32
            let isSignal: Bool
            let output: String
            let errors: String
        }

        /// Waits until it has ended, on a thread of its own.
        func ended() async -> End {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { [self] in
                    let said = [output, errors].map {
                        String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                    }
                    process.waitUntilExit()
                    continuation.resume(
                        returning: End(
                            code: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal,
                            output: said[0], errors: said[1]))
                }
            }
        }

        /// The program beside the tests, which run in the folder of what was built, or in a bundle there.
        private static func program() throws -> URL {
            let folders = [Bundle.main.bundleURL, Bundle(for: Run.self).bundleURL.deletingLastPathComponent()]
            let places = folders.map { $0.appendingPathComponent("BatchEmbeddings") }
            guard let program = places.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
                throw InputError("no program at \(places)")
            }
            return program
        }
    }

    /// How many whole lines the journal has.
    private func records(_ output: URL) -> Int {
        let path = output.appendingPathComponent(EmbeddingJob.journal).path
        guard let data = FileManager.default.contents(atPath: path) else { return 0 }
        return max(0, data.count { $0 == 0x0A } - 1)
    }

    @Test func `killed at ten points, it goes on each time, and ends as if nothing had been`() async throws {
        let place = try place()
        // Slow enough that there is always something under way: 40 requests a second.
        try await withFleet(["--request-limit=4", "--limit-window=0.1"]) { fleet in
            let whole = place.root.appendingPathComponent("whole")
            let first = try await Run(place, fleet, to: whole).ended()
            #expect(first.code == 0, "\(first)")
            let before = try await fleet.stats

            let total = try place.lines(in: whole).count
            var kills = 0
            for point in 1...10 {
                let run = try Run(place, fleet, to: place.output)
                while run.isRunning, records(place.output) < total * point / 12 { await Task.yield() }
                run.signal(SIGKILL)
                let ended = await run.ended()
                #expect(ended.isSignal && ended.code == SIGKILL, "\(ended)")
                kills += 1
            }
            let done = records(place.output)
            let last = try await Run(place, fleet, to: place.output).ended()
            #expect(last.code == 0)
            #expect(last.output.contains("\(total): \(done) were there, \(total - done) embedded"), "\(last)")
            for name in [ResultFiles.vectors, ResultFiles.failures] {
                #expect(try place.result(name) == place.result(name, in: whole))
            }
            // No passage twice in the journal, and on the wire no more than what was under way: 4 requests of 2 passages.
            #expect(records(place.output) == total)
            let stats = try await fleet.stats
            #expect(stats.tokens - before.tokens <= before.tokens + kills * 4 * 2 * Self.passageTokens)
        }
    }

    @Test func `interrupted, it keeps what comes, ends with 130, and goes on`() async throws {
        let place = try place()
        try await withFleet(["--request-limit=4", "--limit-window=0.1"]) { fleet in
            let run = try Run(place, fleet, to: place.output)
            while run.isRunning, records(place.output) < 10 { await Task.yield() }
            run.signal(SIGINT)
            let end = await run.ended(), report = end.output
            #expect(end.code == 130 && !end.isSignal)
            #expect(
                report.contains("ended          interrupted; ") && report.contains("start it again to go on"),
                "\(report)")
            let done = records(place.output), sent = try await fleet.stats
            // Nothing that was answered is lost.
            #expect(sent.replicas[0].completed * 2 >= done && sent.replicas[0].completed * 2 <= done + 2)
            let last = try await Run(place, fleet, to: place.output, ["--progress-interval", "0.1"]).ended()
            #expect(last.code == 0 && last.output.contains(" \(done) were there, "), "\(last)")
            let errors = last.errors
            // No terminal: lines of progress, the last one of which is whole.
            let lines = errors.split(separator: "\n")
            #expect(lines.count > 2 && lines.last?.hasPrefix("100%") == true && !errors.contains("\u{1B}"), "\(errors)")
        }
    }

    @Test func `it exits with 2 when passages were refused, and with 64 for what makes no sense`() async throws {
        let place = try place()
        try await withFleet(["--context-limit=20"]) { fleet in
            let refused = try await Run(place, fleet, to: place.output).ended()
            #expect(refused.code == 2, "\(refused)")
            let wrong = try await Run(place, fleet, to: place.output, ["--overlap-tokens", "20"]).ended()
            #expect(wrong.code == 64 && wrong.errors.contains("--overlap-tokens: 20 is not from 0 to 13"), "\(wrong)")
        }
    }
}
