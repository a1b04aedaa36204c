import ArgumentParser
import Foundation
import Spillway
import Testing

@testable import BatchEmbeddings

@Suite struct OptionsTests {
    private static let good = [
        "--input": NSTemporaryDirectory(), "--endpoint": "http://127.0.0.1:9100/v1/embeddings", "--model": "fake-embed",
        "--output": "out",
    ]

    private func parse(_ changes: [String: String] = [:]) throws -> Options {
        let flags = Self.good.merging(changes) { $1 }
        return try Options.parse(flags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
    }

    @Test func `the defaults make a run`() throws {
        let job = try parse().job(environment: [:])
        #expect(job.calls.baseURL == "http://127.0.0.1:9100/v1" && job.calls.apiKey == nil && job.calls.budget == nil)
        #expect(job.folder.extensions == ["txt", "md"])
        #expect(job.cutter.tokens == 400 && job.cutter.overlap == 50)
        #expect(job.batchPassages == 64 && job.batchTokens == 8_000)
        _ = try EmbeddingCalls(job.calls, http: .shared)
    }

    @Test func `what is given is taken over`() throws {
        let job = try parse([
            "--extension": ".RST", "--dimensions": "256", "--budget-dollars": "0.5",
            "--dollars-per-million-tokens": "0.02",
            "--requests-per-minute": "60", "--tokens-per-minute": "90000", "--api-key-env": "KEY", "--timeout": "2.5",
        ]).job(environment: ["KEY": "secret"])
        #expect(job.folder.extensions == ["rst"])
        #expect(job.calls.dimensions == 256 && job.calls.budget == .cents(50) && job.calls.price == .cents(2))
        #expect(job.calls.requestsPerMinute == 60 && job.calls.tokensPerMinute == 90_000)
        #expect(job.calls.apiKey == "secret" && job.calls.timeout == .seconds(2.5))
        _ = try EmbeddingCalls(job.calls, http: .shared)
    }

    @Test(
        arguments: [
            ("--input", "/no/such/folder"), ("--input", "/etc/hosts"), ("--endpoint", "127.0.0.1/v1/embeddings"),
            ("--endpoint", "http://127.0.0.1/v1"), ("--endpoint", "ftp://host/embeddings"),
            ("--endpoint", "http://host/v1/embeddings?x=1"), ("--model", ""), ("--output", ""), ("--extension", "a/b"),
            ("--extension", ""), ("--passage-tokens", "7"), ("--overlap-tokens", "134"), ("--overlap-tokens", "-1"),
            ("--batch-passages", "0"), ("--batch-passages", "2049"), ("--batch-tokens", "399"), ("--concurrency", "0"),
            ("--requests-per-minute", "0"), ("--tokens-per-minute", "7999"), ("--retries", "101"), ("--timeout", "0"),
            ("--timeout", "nan"), ("--patience", "-1"), ("--dimensions", "0"), ("--progress-interval", "inf"),
            ("--budget-dollars", "much"), ("--budget-dollars", "0"), ("--budget-dollars", "5"),
            ("--dollars-per-million-tokens", "-1"), ("--concurrency", "four"),
        ])
    func `a bad value is named with its flag`(flag: String, value: String) throws {
        let error = try #require(throws: (any Error).self) { try parse([flag: value]) }
        let message = Options.message(for: error)
        #expect(message.contains(flag) && (value.isEmpty || message.contains(value)), "\(message)")
        #expect(Options.exitCode(for: error).rawValue == 64)
    }

    @Test func `a password is not repeated, and a key that is not there is named`() throws {
        let options = try parse(["--api-key-env": "NO_SUCH_KEY"])
        let error = try #require(throws: (any Error).self) { try options.job(environment: [:]) }
        #expect(Options.message(for: error).contains("no environment variable 'NO_SUCH_KEY'"))
        #expect(throws: (any Error).self) { try parse(["--endpoint": "http://u:secret@host/v1/embeddings"]) }
    }
}
