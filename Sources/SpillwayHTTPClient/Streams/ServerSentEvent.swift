#if HTTPClientSupport
/// One event of a `text/event-stream`.
public struct ServerSentEvent: Sendable, Hashable {
    /// The event's type; `message` when the stream does not say.
    public let event: String
    /// Its data: the lines, joined by line feeds.
    public let data: String
    /// The last id that the stream has given; nil when it has given none.
    public let id: String?

    /// An event.
    public init(event: String = "message", data: String, id: String? = nil) {
        self.event = event
        self.data = data
        self.id = id
    }

    /// The event as it goes over the wire, without its id.
    public var text: String {
        var text = event == "message" ? "" : "event: \(event)\n"
        for line in data.split(separator: "\n", omittingEmptySubsequences: false) { text += "data: \(line)\n" }
        return text + "\n"
    }
}
#endif
