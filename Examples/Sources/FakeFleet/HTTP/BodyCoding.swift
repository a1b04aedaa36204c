import Foundation
import Hummingbird
import NIOCore

extension Request {
    /// The body as JSON, throwing an ``APIError``: 413 beyond 4 MiB, 400 when it is not JSON.
    func json() async throws -> JSONValue {
        let limit = 4 << 20
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw APIError(.contentTooLarge, "body: larger than \(limit) bytes", code: "request_too_large")
        }
        do {
            return try JSONValue(parsing: Data(bytes.readableBytesView))
        } catch {
            throw APIError(.badRequest, "body: \(bytes.readableBytes) bytes that are not valid JSON")
        }
    }
}

extension Response {
    /// A JSON response.
    init(json: JSONValue, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status,
            headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: json.text))
        )
    }
}
