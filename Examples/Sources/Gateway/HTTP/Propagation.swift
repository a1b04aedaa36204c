import HTTPTypes
import Hummingbird
import Spillway

/// Takes the caller's deadline and allowance from the headers of a request, and says in the answer what was spent.
///
/// Policies find them in the task, so that one bound holds through any number of services.
struct Propagation: RouterMiddleware {
    /// Answers the request in the caller's context.
    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        let caller = CallContext(
            headers: { name in HTTPField.Name(name).flatMap { request.headers[$0] } }, at: SystemTime().now)
        return try await CallContext.$current.withValue(caller) {
            do {
                var response = try await next(request, context)
                // A body of unknown length is a stream, whose attempts may go on.
                if response.body.contentLength != nil { response.headers.append(contentsOf: caller.answerFields) }
                return response
            } catch var error as APIError {
                error.headers.append(contentsOf: caller.answerFields)
                throw error
            }
        }
    }
}

extension CallContext {
    /// What the caller is told that was spent; from then on nothing can be.
    var answerFields: HTTPFields {
        var fields = HTTPFields()
        for (name, value) in answerHeaders() { fields[HTTPField.Name(name)!] = value }
        return fields
    }
}
