import AsyncHTTPClient
import Foundation

/// Talks to the fleet's control server.
struct ControlClient: Sendable {
    let http: HTTPClient
    /// The server's address without a slash at the end.
    let base: String

    /// Replaces all active faults.
    func setFaults(_ faults: [Fault]) async throws {
        var request = request("/control/faults", body: try JSONEncoder().encode(faults))
        request.method = .PUT
        _ = try await send(request)
    }

    /// Labels what comes from now on.
    func setPhase(_ phase: Phase) async throws {
        var request = request("/control/phase", body: try JSONEncoder().encode(["phase": phase.rawValue]))
        request.method = .POST
        _ = try await send(request)
    }

    /// Zeroes the fleet's counters.
    func reset() async throws {
        var request = request("/control/reset", body: Data("{}".utf8))
        request.method = .POST
        _ = try await send(request)
    }

    /// Reads the fleet's counters.
    func stats() async throws -> FleetStats {
        let request = HTTPClientRequest(url: base + "/control/stats")
        let data = try await send(request)
        do {
            return try JSONDecoder().decode(FleetStats.self, from: data)
        } catch {
            throw InputError(error, in: "answer of \(request.url)")
        }
    }

    /// A request with a JSON body.
    private func request(_ path: String, body: Data) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        return request
    }

    /// Sends one call and returns the answer's body.
    ///
    /// Throws `InputError` naming the address when the server cannot be reached or refuses, and `CancellationError`
    /// when the task is cancelled.
    private func send(_ request: HTTPClientRequest) async throws -> Data {
        let status: UInt
        let data: Data
        do {
            let response = try await http.execute(request, timeout: .seconds(10))
            status = response.status.code
            data = Data(try await response.body.collect(upTo: 4 << 20).readableBytesView)
        } catch {
            try Task.checkCancellation()
            throw InputError("\(request.method.rawValue) \(request.url): \(error)")
        }
        guard (200..<300).contains(status) else {
            let text = String(decoding: data.prefix(500), as: UTF8.self)
            throw InputError("\(request.method.rawValue) \(request.url) answered \(status): \(text)")
        }
        return data
    }
}
