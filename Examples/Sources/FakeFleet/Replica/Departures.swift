/// The client closed its connection before its answer was complete: there is no one left to tell.
struct ClientGone: Error {}

/// Thrown out of a response body on purpose, so that the server closes the connection in the middle of it.
struct Severed: Error {}
