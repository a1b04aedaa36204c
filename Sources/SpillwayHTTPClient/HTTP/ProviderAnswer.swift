#if HTTPClientSupport
/// What a provider answers with: what was asked for, or an error object in its place.
enum ProviderAnswer<Body: Decodable>: Decodable {
    case body(Body)
    case error(ProviderError)

    private enum Key: String, CodingKey { case error, object }

    init(from decoder: any Decoder) throws {
        // Some send `"error": null` with every good answer.
        let top = try decoder.container(keyedBy: Key.self)
        let failed =
            try top.contains(.error)
            ? !top.decodeNil(forKey: .error) : (try? top.decode(String.self, forKey: .object)) == "error"
        self = failed ? .error(try ProviderError(from: decoder)) : .body(try Body(from: decoder))
    }
}
#endif
