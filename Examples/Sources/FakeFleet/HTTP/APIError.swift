import Hummingbird

/// An error in the shape of OpenAI's API.
struct APIError: HTTPResponseError {
    let status: HTTPResponse.Status
    let message: String
    let type: String
    let param: String?
    let code: String?
    let headers: HTTPFields

    /// An error of a status; `param` names the offending field.
    init(
        _ status: HTTPResponse.Status,
        _ message: String,
        type: String = "invalid_request_error",
        param: String? = nil,
        code: String? = nil,
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.param = param
        self.code = code
        self.headers = headers
    }

    /// 400 for a value that is no good, naming where it stands; `nil` is the body itself.
    static func invalid(_ param: String?, _ value: JSONValue, _ reason: String) -> APIError {
        let text = value.text
        let shown = text.count > 80 ? text.prefix(80) + "…" : text[...]
        return APIError(.badRequest, "\(param ?? "body"): \(shown) \(reason)", param: param)
    }

    /// The error as a response.
    func response(from request: Request, context: some RequestContext) -> Response {
        let body: JSONValue = [
            "error": [
                "message": .string(message),
                "type": .string(type),
                "param": param.map { .string($0) } ?? .null,
                "code": code.map { .string($0) } ?? .null,
            ]
        ]
        var response = Response(json: body, status: status)
        response.headers.append(contentsOf: headers)
        return response
    }
}
