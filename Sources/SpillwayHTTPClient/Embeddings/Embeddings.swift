#if HTTPClientSupport
public import Spillway

/// The vectors of a request's texts.
public struct Embeddings: Sendable, Hashable, Decodable {
    /// The model that made them; empty where the provider does not say.
    public let model: String
    /// One vector for each text, in the order of the request, all of the same length.
    public let vectors: [[Float]]
    /// What it took; nil where the provider does not say.
    public let usage: Usage?

    private enum CodingKeys: String, CodingKey { case model, data, usage }

    private struct Item: Decodable {
        let index: Int
        let embedding: [Float]
    }

    /// Reads an answer, which must have a vector for each index from 0 on, in any order.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        model = try fields.decodeIfPresent(String.self, forKey: .model) ?? ""
        let items = try fields.decode([Item].self, forKey: .data).sorted { $0.index < $1.index }
        guard items.map(\.index) == Array(items.indices) else {
            throw DecodingError.dataCorruptedError(forKey: .data, in: fields, debugDescription: "indices have gaps")
        }
        vectors = items.map(\.embedding)
        guard let length = vectors.first?.count, length > 0, vectors.allSatisfy({ $0.count == length }) else {
            throw DecodingError.dataCorruptedError(
                forKey: .data, in: fields, debugDescription: "no vectors, or such of different lengths")
        }
        // Figures that make no sense are no reason to lose the answer.
        usage = (try? fields.decodeIfPresent(OpenAIUsage.self, forKey: .usage))?.usage
    }
}
#endif
