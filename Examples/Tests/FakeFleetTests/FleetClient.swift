import AsyncHTTPClient
import FleetFaults
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@testable import FakeFleet

/// Talks to a running fleet over real sockets.
struct FleetClient: Sendable {
    let addresses: FleetServer.Addresses

    /// Sends a request; `body` is JSON text or anything that is not.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        port: Int,
        body: String? = nil,
        headers: HTTPHeaders = [:]
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/\(path)")
        request.method = method
        request.headers = headers
        request.body = body.map { .bytes(ByteBuffer(string: $0)) }
        return try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    }

    /// Sends a chat completion of one user message to a replica; `extra` are further JSON fields, each after a comma.
    func chat(
        _ prompt: String = "hello there",
        extra: String = "",
        replica: Int = 1,
        headers: HTTPHeaders = [:]
    ) async throws -> HTTPClientResponse {
        let body = #"{"model":"fake-7b","messages":[{"role":"user","content":"\#(prompt)"}]\#(extra)}"#
        let port = addresses.replicas[replica - 1]
        return try await send(.POST, "v1/chat/completions", port: port, body: body, headers: headers)
    }

    /// Makes one fault the only active one, on all replicas; `extra` are further JSON fields, each after a comma.
    func fault(_ kind: FaultKind, extra: String = "") async throws {
        let body = #"[{"replica":"all","fault":"\#(kind.rawValue)"\#(extra)}]"#
        #expect(try await send(.PUT, "control/faults", port: addresses.control, body: body).status == .ok)
    }

    /// The fleet's counters.
    func stats() async throws -> JSONValue {
        try await send(.GET, "control/stats", port: addresses.control).json
    }

    /// Asks for the counters until they satisfy a condition; the suite's time limit bounds the wait.
    func stats(until isMet: (JSONValue) -> Bool) async throws {
        while try await !isMet(stats()) {}
    }
}

/// Runs `body` against a fleet of one fast replica on free ports; `flags` override.
func withFleet(_ flags: [String] = [], _ body: (FleetClient) async throws -> Void) async throws {
    let options = try FleetOptions.parse(["--port=0", "--replicas=1", "--speed=1000"] + flags)
    let (ready, announce) = AsyncStream.makeStream(of: FleetServer.Addresses.self)
    let serving = Task {
        defer { announce.finish() }
        try await FleetServer(options).run { announce.yield($0) }
    }
    for await addresses in ready {
        do {
            try await body(FleetClient(addresses: addresses))
        } catch {
            serving.cancel()
            throw error
        }
        break
    }
    serving.cancel()
    do {
        try await serving.value
    } catch is CancellationError {}
}

extension HTTPClientResponse {
    /// The whole body as text.
    var text: String {
        get async throws {
            String(buffer: try await body.collect(upTo: 16 << 20))
        }
    }

    /// The whole body as JSON.
    var json: JSONValue {
        get async throws {
            try await JSONValue(parsing: Data(text.utf8))
        }
    }

    /// The data of all events of the body, as text.
    var events: [String] {
        get async throws {
            try await text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { event in
                #expect(event.hasPrefix("data: "))
                return String(event.dropFirst("data: ".count))
            }
        }
    }
}
