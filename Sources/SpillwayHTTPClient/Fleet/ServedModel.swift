#if HTTPClientSupport
internal import Spillway

/// The model that probes ask for: the one that was named, or else the first that the engine lists once it wants a name.
final class ServedModel: Sendable {
    private let known: Locked<String?>

    init(_ name: String?) { known = Locked(name) }

    /// Nil: none was named, and none was asked for yet.
    var name: String? { known.withLock { $0 } }

    private struct List: Decodable {
        struct Model: Decodable { let id: String }
        let data: [Model]
    }

    /// After a probe without a name was refused: reads the list, so that the next one has a name.
    func learn(
        from url: String, _ requests: WatchRequests, limits: (head: Duration, whole: Duration), upTo limit: Int
    ) async throws(UpstreamError) {
        let page = try await requests.get(url, head: limits.head, whole: limits.whole, upTo: limit)
        guard let first = try APIEndpoint.decode(List.self, from: page).data.first else { return }
        known.withLock { $0 = first.id }
    }
}
#endif
