import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOCore
import Spillway
import SpillwayHTTPClient
import Synchronization
import Testing

@testable import BatchEmbeddings
@testable import FakeFleet

/// A folder of texts, and one for results, that are gone when the test is over.
final class Workplace: Sendable {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("embed-\(UUID().uuidString)")

    var input: URL { root.appendingPathComponent("texts") }
    var output: URL { root.appendingPathComponent("results") }

    init(_ files: [String: String] = [:]) throws {
        try FileManager.default.createDirectory(at: input, withIntermediateDirectories: true)
        for (path, text) in files { try write(path, Array(text.utf8)) }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// Writes a text, or what is none.
    func write(_ path: String, _ bytes: [UInt8]) throws {
        let url = input.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// The bytes of a result.
    func result(_ name: String = ResultFiles.vectors, in folder: URL? = nil) throws -> Data {
        try Data(contentsOf: (folder ?? output).appendingPathComponent(name))
    }

    /// One line of the results.
    struct Line: Decodable {
        let file: String
        let passage: Int
        let offset: Int
        let bytes: Int
        let vector: String?
        let reason: String?

        var floats: [Float] {
            let data = vector.flatMap { Data(base64Encoded: $0) } ?? Data()
            return stride(from: 0, to: data.count, by: 4).map { place in
                Float(
                    bitPattern: data.withUnsafeBytes {
                        UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self))
                    })
            }
        }
    }

    func lines(_ name: String = ResultFiles.vectors, in folder: URL? = nil) throws -> [Line] {
        try result(name, in: folder).split(separator: 0x0A).map { try JSONDecoder().decode(Line.self, from: $0) }
    }

    /// The text that a line stands for.
    func text(_ line: Line) throws -> String {
        let bytes = [UInt8](try Data(contentsOf: input.appendingPathComponent(line.file)))
        return String(decoding: bytes[line.offset..<line.offset + line.bytes], as: UTF8.self)
    }
}

/// Texts from any task.
final class Texts: Sendable {
    private let state = Mutex<[String]>([])

    var all: [String] { state.withLock { $0 } }

    @Sendable func add(_ text: String) { state.withLock { $0.append(text) } }
}

/// A text of so many paragraphs, in which no two words are the same.
func text(_ name: String, paragraphs: Int) -> String {
    (0..<paragraphs).map { number in
        (0..<20).map { "\(name)-\(number)-\($0)" }.joined(separator: " ") + "."
    }.joined(separator: "\n\n")
}

/// A running fleet of one replica.
struct TestFleet: Sendable {
    let addresses: FleetServer.Addresses

    var baseURL: String { "http://127.0.0.1:\(addresses.replicas[0])/v1" }

    /// Makes these faults the only active ones.
    func faults(_ faults: String...) async throws {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(addresses.control)/control/faults")
        request.method = .PUT
        let rules = faults.map { "{\"replica\":\"all\",\($0)}" }.joined(separator: ",")
        request.body = .bytes(ByteBuffer(string: "[\(rules)]"))
        #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status == .ok)
    }

    struct Stats: Decodable {
        struct Replica: Decodable {
            let calls: Int
            let completed: Int
            let tokens: Int
            let running: Int
            let waiting: Int

            private enum CodingKeys: String, CodingKey {
                case calls, completed, running, waiting
                case tokens = "prompt_tokens"
            }
        }
        struct Phase: Decodable { let faults: [String: Int] }
        let replicas: [Replica]
        let phases: [String: Phase]

        var calls: Int { replicas[0].calls }
        var tokens: Int { replicas[0].tokens }
        var rateLimited: Int { phases.values.reduce(0) { $0 + ($1.faults["rate-limit"] ?? 0) } }
    }

    var stats: Stats {
        get async throws {
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(addresses.control)/control/stats")
            let body = try await HTTPClient.shared.execute(request, timeout: .seconds(30)).body.collect(upTo: 1 << 20)
            return try JSONDecoder().decode(Stats.self, from: Data(body.readableBytesView))
        }
    }
}

/// Runs `body` against a fleet of one fast replica that embeds; `flags` override.
func withFleet(_ flags: [String] = [], _ body: (TestFleet) async throws -> Void) async throws {
    let options = try FleetOptions.parse(["--port=0", "--replicas=1", "--speed=1000", "--model=fake-embed"] + flags)
    let (ready, announce) = AsyncStream.makeStream(of: FleetServer.Addresses.self)
    let serving = Task {
        defer { announce.finish() }
        try await FleetServer(options).run { announce.yield($0) }
    }
    defer { serving.cancel() }
    for await addresses in ready {
        try await body(TestFleet(addresses: addresses))
        break
    }
    serving.cancel()
    do { try await serving.value } catch is CancellationError {}
}

extension EmbeddingJob {
    /// A run from and to a workplace: passages of 40 tokens, four of them in a request.
    init(
        _ place: Workplace, _ baseURL: String, output: URL? = nil, _ change: (inout EmbeddingJob) -> Void = { _ in }
    ) {
        self.init(
            folder: TextFolder(root: place.input, extensions: ["txt", "md"], except: place.output),
            cutter: PassageCutter(tokens: 40, overlap: 5), calls: CallSettings(baseURL: baseURL, model: "fake-embed"),
            batchPassages: 4, batchTokens: 400, output: output ?? place.output)
        change(&self)
    }

    /// Runs with a client of its own, and returns what it noted, too.
    func reported() async throws -> (report: RunReport, notes: [String]) {
        let http = HTTPClient(configuration: .underPolicy)
        let notes = Texts()
        let result: Result<RunReport, any Error>
        do {
            result = .success(try await run(http: http, note: notes.add))
        } catch {
            result = .failure(error)
        }
        try await http.shutdown()
        return (try result.get(), notes.all)
    }
}
