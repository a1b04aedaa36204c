import Foundation
import Hummingbird
import NIOCore

/// An error in the shape of OpenAI's API.
struct APIError: HTTPResponseError {
    let status: HTTPResponse.Status
    var headers: HTTPFields = [.contentType: "application/json"]
    /// `{"error": {…}}` in one line.
    let json: ByteBuffer

    /// An error of the gateway's own; `param` names the offending field.
    init(
        _ status: HTTPResponse.Status, _ message: String, type: String = "invalid_request_error",
        param: String? = nil, code: String? = nil
    ) {
        let error: [String: Any] = [
            "message": message, "type": type, "param": param ?? NSNull(), "code": code ?? NSNull(),
        ]
        self.init(status, ["error": error])
    }

    /// An upstream's error: its body where that has the right shape, else a new one that quotes it.
    init(_ status: HTTPResponse.Status, upstream body: ByteBuffer, message: String, code: String) {
        let fields = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView))
        guard let fields = fields as? [String: Any], fields["error"] is [String: Any] else {
            self.init(status, message, type: "upstream_error", code: code)
            return
        }
        self.init(status, fields)
    }

    /// The error as an event in the middle of a stream.
    var event: ByteBuffer {
        var event = ByteBuffer(string: "data: ")
        event.writeImmutableBuffer(json)
        event.writeString("\n\n")
        return event
    }

    /// The error as a response.
    func response(from request: Request, context: some RequestContext) -> Response {
        Response(status: status, headers: headers, body: .init(byteBuffer: json))
    }

    private init(_ status: HTTPResponse.Status, _ fields: [String: Any]) {
        self.status = status
        // Strings, nulls and what came from a parser are always valid.
        json = ByteBuffer(
            data: try! JSONSerialization.data(
                withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes]))
    }
}
