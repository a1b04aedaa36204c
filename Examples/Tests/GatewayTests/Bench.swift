import AsyncHTTPClient
import CostLedger
import FleetFaults
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Spillway
import Testing

@testable import FakeFleet
@testable import Gateway

/// A gateway in front of a fleet, both over real sockets.
struct Bench: Sendable {
    let fleet: FleetServer.Addresses
    let gateway: Gateway
    /// The gateway's.
    let port: Int
    /// Sends the requests.
    var client = HTTPClient.shared

    /// Sends a request to a port, the gateway's by default.
    func send(
        _ method: HTTPMethod, _ path: String, port: Int? = nil, body: String? = nil, headers: HTTPHeaders = [:]
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port ?? self.port)/\(path)")
        request.method = method
        request.headers = headers
        request.body = body.map { .bytes(ByteBuffer(string: $0)) }
        return try await client.execute(request, timeout: .seconds(30))
    }

    /// Asks the gateway for a chat completion; `extra` are further JSON fields, each after a comma.
    func chat(
        _ extra: String = "", headers: HTTPHeaders = [:]
    ) async throws -> HTTPClientResponse {
        let body = #"{"model":"chat","messages":[{"role":"user","content":"hello"}]\#(extra)}"#
        return try await send(.POST, "v1/chat/completions", body: body, headers: headers)
    }

    /// Makes one fault the only active one; `replica` is a number or `"all"` with its quotes.
    func fault(_ kind: FaultKind, replica: String = "1", extra: String = "") async throws {
        try await faults((kind, replica, extra))
    }

    /// Makes these faults the only active ones; `replica` is a number or `"all"` with its quotes.
    func faults(_ faults: (kind: FaultKind, replica: String, extra: String)...) async throws {
        let rules = faults.map { #"{"replica":\#($0.replica),"fault":"\#($0.kind.rawValue)"\#($0.extra)}"# }
        let body = "[\(rules.joined(separator: ","))]"
        #expect(try await send(.PUT, "control/faults", port: fleet.control, body: body).status == .ok)
    }

    /// How many calls each replica has had.
    var calls: [Int] {
        get async throws {
            try await stats().replicas.map(\.calls)
        }
    }

    /// The fleet's counters.
    func stats() async throws -> Stats {
        let body = try await send(.GET, "control/stats", port: fleet.control).body.collect(upTo: 1 << 20)
        return try JSONDecoder().decode(Stats.self, from: Data(body.readableBytesView))
    }

    /// Asks for the counters until they satisfy a condition; the suite's time limit bounds the wait.
    func stats(until isMet: (Stats) -> Bool) async throws {
        try await until { try await isMet(stats()) }
    }

    /// Asks for the gateway's metrics until they contain a line; the suite's time limit bounds the wait.
    func metrics(until line: String) async throws {
        try await until { try await send(.GET, "metrics").text.contains(line) }
    }

    /// The part of the counters that is looked at.
    struct Stats: Decodable {
        struct Replica: Decodable {
            let calls: Int
            let running: Int
        }
        let replicas: [Replica]
    }
}

/// Returns as soon as `condition` holds; the suite's time limit ends a wait for what never comes.
func until(_ condition: () async throws -> Bool) async throws {
    // Not without a rest: what is waited for needs the processor too.
    while try await !condition() { try await SystemTime().sleep(for: .milliseconds(1)) }
}

/// Runs `body` against a gateway with a ladder of fast replicas, each with the YAML flow fields `upstream`.
///
/// The replicas serve `models`, and the gateway asks each for the one in its place; by default all for the same. `extra` are
/// further fields of the file, and `route` those of the model `chat` in place of its targets.
func withBench(
    replicas: Int = 2, upstream: String = "breaker: none, prefill: flags",
    policy: String = "{ retries: 3, backoff: { kind: none } }", server: String = "{}",
    flags: [String] = [], models: [String]? = nil, route: String? = nil, extra: String = "",
    store: (any LedgerStore)? = nil, _ body: (Bench) async throws -> Void
) async throws {
    let names = models ?? Array(repeating: "fake-7b", count: replicas)
    let options = try FleetOptions.parse(
        ["--port=0", "--replicas=\(replicas)", "--speed=1000"] + names.map { "--model=\($0)" } + flags)
    try await running {
        try await FleetServer(options).run(ready: $0)
    } body: { fleet in
        let numbers = 1...replicas
        let targets =
            "targets: [\(numbers.map { "{ upstream: r\($0), model: \(names[$0 - 1]) }" }.joined(separator: ", "))]"
        let yaml = """
            upstreams:
            \(numbers.map { "  r\($0): { url: 'http://127.0.0.1:\(fleet.replicas[$0 - 1])', \(upstream) }" }
                .joined(separator: "\n"))
            models:
              chat: { \(route ?? targets) }
            policy: \(policy)
            server: \(server)
            \(extra)
            """
        try await withGateway(yaml, store: store) { try await body(Bench(fleet: fleet, gateway: $0, port: $1)) }
    }
}

/// Runs `body` with a gateway and its port; `connections` are the most of users' calls to one host.
func withGateway(
    _ yaml: String, store: (any LedgerStore)? = nil, sessions: (any SessionStore)? = nil, connections: Int? = nil,
    _ body: (Gateway, Int) async throws -> Void
) async throws {
    var configuration = Gateway.httpConfiguration
    if let connections {
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    }
    let http = HTTPClient(configuration: configuration)
    let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let outcome: Result<Void, any Error>
    do {
        let gateway = try await Gateway(
            Configuration(yaml: yaml, file: "test.yaml"), http: http, logger: silent, store: store,
            sessionStore: sessions)
        let workers = Task { try await gateway.work() }
        let watches = Task { try await gateway.watch() }
        defer {
            workers.cancel()
            watches.cancel()
        }
        try await running { ready in
            try await gateway.application(host: "127.0.0.1", port: 0, logger: silent, ready: ready).run()
        } body: { port in
            try await body(gateway, port)
        }
        watches.cancel()
        _ = await watches.result
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    try await http.shutdown()
    try outcome.get()
}

/// Runs `body` with what `serve` says once it serves, and stops it afterwards.
func running<Ready: Sendable>(
    _ serve: @escaping @Sendable (@escaping @Sendable (Ready) -> Void) async throws -> Void,
    body: (Ready) async throws -> Void
) async throws {
    let (stream, announce) = AsyncStream.makeStream(of: Ready.self)
    let serving = Task {
        defer { announce.finish() }
        try await serve { announce.yield($0) }
    }
    defer { serving.cancel() }
    for await ready in stream {
        try await body(ready)
        serving.cancel()
        _ = await serving.result
        return
    }
    try await serving.value
}

extension HTTPClientResponse {
    /// The whole body as text.
    var text: String {
        get async throws {
            String(buffer: try await body.collect(upTo: 16 << 20))
        }
    }

    /// The fields of the body's error object.
    var apiError: [String: String] {
        get async throws {
            struct Body: Decodable { let error: [String: String?] }
            let body = try JSONDecoder().decode(Body.self, from: Data(try await text.utf8))
            #expect(Set(body.error.keys) == ["message", "type", "param", "code"])
            return body.error.compactMapValues { $0 }
        }
    }
}
