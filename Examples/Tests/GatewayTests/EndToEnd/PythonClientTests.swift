import Foundation
import Testing

@testable import FakeFleet
@testable import Gateway

private let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
/// Made by `dev/python.sh`.
private let python = examples.appending(path: ".build/python/bin/python").path
private let isReady =
    FileManager.default.isExecutableFile(atPath: python) || ProcessInfo.processInfo.environment["CI"] != nil

/// What the official OpenAI client, in Python, sees of the gateway.
@Suite(.timeLimit(.minutes(10))) struct PythonClientTests {
    @Test(.enabled(if: isReady, "SKIPPED: bash dev/python.sh has not made Examples/.build/python"))
    func `the official client is served well`() async throws {
        let route = """
            tiers: [{ name: premium, targets: [{ upstream: r1, model: large, quality: 0.9 }] },
              { name: compact, targets: [{ upstream: r2, model: small, quality: 0.4 }], maxOutputTokens: 10 },
              { name: later, deferral: true }], hysteresis: { misses: 1000 } }
              plain: { targets: [{ upstream: r1, model: large }]
            """
        let extra = "jobs: { workers: 2 }\n" + Purse.yaml(models: ["large", "small"])
        try await withBench(
            policy: "{ retries: 0 }", models: ["large", "small"], route: route, extra: extra
        ) { bench in
            let script = examples.appending(path: "Tests/PythonClientTests/client_tests.py").path
            let (status, output) = try await run(
                script,
                [
                    "GATEWAY": "http://127.0.0.1:\(bench.port)", "CONTROL": "http://127.0.0.1:\(bench.fleet.control)",
                    "KEY": Purse.acme,
                ])
            #expect(status == 0, "\(output)")
            #expect(output.contains(/Ran 1\d tests/), "\(output)")
            try bench.balances()
        }
    }

    /// Runs a script to its end.
    private func run(_ script: String, _ environment: [String: String]) async throws -> (status: Int32, output: String)
    {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [script]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = pipe
        process.standardError = pipe
        let reading = pipe.fileHandleForReading
        let output = Task {
            await withCheckedContinuation { continuation in
                // It blocks, which no thread of the pool may.
                DispatchQueue.global().async { continuation.resume(returning: reading.readDataToEndOfFile()) }
            }
        }
        return try await withTaskCancellationHandler {
            let status = try await withCheckedThrowingContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch { continuation.resume(throwing: error) }
            }
            return (status, String(decoding: await output.value, as: UTF8.self))
        } onCancel: {
            process.terminate()
        }
    }
}
