/// One event of a server-sent event stream.
struct ServerSentEvent: Sendable, Equatable {
    /// The event's name; nil when the stream gave none.
    var name: String?
    /// The data lines, joined by line feeds.
    var data: String
}
