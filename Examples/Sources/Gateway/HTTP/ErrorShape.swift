import Hummingbird

/// Gives the framework's own errors, such as an unknown path, the shape of the API's.
struct ErrorShape: RouterMiddleware {
    /// Answers the request, translating a framework error.
    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError {
            throw APIError(
                error.status, error.body ?? "\(error.status.reasonPhrase): \(request.method) \(request.uri.path)")
        }
    }
}
