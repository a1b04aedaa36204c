#if HTTPClientSupport
internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
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
    /// The failure that an error of the client stands for.
    ///
    /// Errors before there was a connection are `connect`, those that only time explains `timeout`, a request that
    /// cannot be sent `invalidRequest`, cancellation is neutral, and everything else is `transport`.
    public static func from(transport error: any Error) -> UpstreamError {
        if let error = error as? UpstreamError { return error }
        // A client error's full text may hold header values.
        let text = (error as? HTTPClientError)?.shortDescription ?? "\(error)"
        return UpstreamError(text, .of(cause(of: error)), underlying: error)
    }

    private static func cause(of error: any Error) -> Outcome.Cause {
        switch error {
        case is CancellationError: .cancelled
        case let error as HTTPClientError: cause(of: error)
        case is NIOConnectionError, ChannelError.connectTimeout: .connect
        // Others, such as an unreachable host, also come from connections that have sent something.
        case let error as IOError where [ECONNREFUSED, EADDRNOTAVAIL].contains(error.errnoCode): .connect
        case HTTPParserError.invalidEOFState: .transport
        case is HTTPParserError: .malformed
        default: .transport
        }
    }

    private static func cause(of error: HTTPClientError) -> Outcome.Cause {
        switch error {
        case .cancelled: .cancelled
        case .connectTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout, .httpProxyHandshakeTimeout,
            .getConnectionFromPoolTimeout:
            .connect
        case .deadlineExceeded, .readTimeout, .writeTimeout: .timeout
        case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath, .traceRequestWithBody, .bodyLengthMismatch:
            .invalidRequest
        default:
            // These carry values, so that they are told apart by their text alone.
            switch error.shortDescription {
            case "Unsupported scheme", "Invalid header field names", "Invalid header field values": .invalidRequest
            default: .transport
            }
        }
    }
}
#endif
