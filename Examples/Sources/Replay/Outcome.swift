/// What came of one request.
enum Outcome: Sendable, Equatable {
    /// The whole answer came, with a finish reason and `[DONE]`.
    case good
    /// The stream ended as if all were well, but without a finish reason or without `[DONE]`.
    case truncated
    /// Anything else, with its kind, such as `http-503` or `timeout`.
    case failed(String)
}
