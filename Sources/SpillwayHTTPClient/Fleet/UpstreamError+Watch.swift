#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import Spillway
#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension UpstreamError {
    /// The client's error if it was shut down: then nothing can be asked any more.
    var clientsEnd: HTTPClientError? {
        (underlying as? HTTPClientError).flatMap { $0 == .alreadyShutdown ? $0 : nil }
    }

    /// Whether it is this process that could not ask, for want of a socket or of memory.
    var isOwn: Bool { clientsEnd != nil || has([EMFILE, ENFILE, ENOBUFS, ENOMEM]) }

    /// Whether the client had other connections to the same place, and got no further one in time.
    var isPoolTimeout: Bool { underlying as? HTTPClientError == .getConnectionFromPoolTimeout }

    /// Whether there was nobody to ask.
    var foundNobody: Bool {
        guard status == nil else { return false }
        // An address that cannot be asked is nobody's.
        return [.connect, .invalidRequest].contains(outcome.cause) || has([EHOSTUNREACH, ENETUNREACH, EHOSTDOWN])
    }

    /// What a probe found that failed like this.
    var found: ProbeResult { foundNobody ? .silent : .failed(outcome.cause) }

    private func has(_ codes: [CInt]) -> Bool {
        let attempts = (underlying as? NIOConnectionError)?.connectionErrors.map(\.error) ?? []
        return (attempts + [underlying].compactMap { $0 }).contains { error in
            (error as? IOError).map { codes.contains($0.errnoCode) } ?? false
        }
    }
}
#endif
