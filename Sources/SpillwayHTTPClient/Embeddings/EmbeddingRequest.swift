#if HTTPClientSupport
public import Spillway

/// Texts of which to make vectors.
public struct EmbeddingRequest: Sendable, Hashable, Encodable {
    /// The model, as the provider calls it.
    public var model: String
    /// The texts; providers limit how many, and how many tokens all of them may have.
    public var input: [String]
    /// How many numbers a vector has; nil: the model's own default.
    public var dimensions: Int?

    /// A request.
    public init(model: String, input: [String], dimensions: Int? = nil) {
        self.model = model
        self.input = input
        self.dimensions = dimensions
    }

    /// What gates are told: a token for every four bytes of each text, and at least one.
    ///
    /// It may be repeated, since a text has the same vector each time, at the price of each time.
    ///
    /// - Parameters:
    ///   - key: Whom the call is for, such as a tenant; nil: nobody in particular.
    ///   - payer: Who pays for it, such as an `Account` or a `Bill`; nil: nobody in particular.
    public func call(for key: String? = nil, payer: (any Payer)? = nil) -> Call {
        let tokens = input.reduce(0) { $0 + max(1, $1.utf8.count / 4) }
        return Call(
            tokens: .estimate(input: tokens, maxOutput: 0), key: key, payer: payer, idempotency: .idempotent)
    }
}
#endif
