#if HTTPClientSupport
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Spillway
import SpillwayHTTPClient
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("Upstream errors")
struct UpstreamErrorTests {
    @Test("the client's errors have their causes")
    func causes() {
        let expected: [(any Error, Outcome)] = [
            (HTTPClientError.connectTimeout, .failure(.connect)),
            (HTTPClientError.getConnectionFromPoolTimeout, .failure(.connect)),
            (ChannelError.connectTimeout(.seconds(1)), .failure(.connect)),
            (IOError(errnoCode: ECONNREFUSED, reason: "connect"), .failure(.connect)),
            (IOError(errnoCode: ECONNRESET, reason: "read"), .failure(.transport)),
            (HTTPClientError.remoteConnectionClosed, .failure(.transport)),
            (HTTPClientError.deadlineExceeded, .failure(.timeout)),
            (HTTPClientError.readTimeout, .failure(.timeout)),
            (HTTPParserError.invalidEOFState, .failure(.transport)),
            (HTTPParserError.invalidChunkSize, .failure(.malformed)),
            (HTTPClientError.cancelled, .neutral(.cancelled)),
            (CancellationError(), .neutral(.cancelled)),
            (HTTPClientError.emptyHost, .neutral(.invalidRequest)),
            (HTTPClientError.unsupportedScheme("ftp"), .neutral(.invalidRequest)),
        ]
        for (error, outcome) in expected {
            #expect(UpstreamError.from(transport: error).outcome == outcome, "\(error)")
        }
    }

    @Test("a header that cannot be sent is not in the message")
    func secrets() {
        let error = UpstreamError.from(transport: HTTPClientError.invalidHeaderFieldValues(["secret\n"]))
        #expect(!error.description.contains("secret"))
        #expect(error.outcome == .neutral(.invalidRequest))
    }

    @Test("an answer's body is read up to 16 KiB, and its message and hint are understood")
    func answers() async {
        let body = #"{"error":{"message":"slow down","type":"rate_limit_error"}}"#
        let headers: HTTPHeaders = ["retry-after": "3", "content-type": "application/json"]
        let error = await UpstreamError.from(
            HTTPClientResponse(status: .tooManyRequests, headers: headers, body: .bytes(ByteBuffer(string: body))))
        #expect(error.status == 429)
        #expect(error.outcome == .neutral(.rateLimited, retryAfter: .seconds(3)))
        #expect(error.contentType == "application/json")
        #expect(error.body == Array(body.utf8))
        #expect(error.description == "HTTP 429 Too Many Requests: slow down [rate_limited]")

        let long = HTTPClientResponse(
            status: .badGateway, body: .bytes(ByteBuffer(repeating: 0, count: 20_000)))
        #expect(await UpstreamError.from(long).body.count == 16_384)
    }

    @Test("makers say what they mean")
    func makers() {
        #expect(UpstreamError.malformed("x").outcome == .failure(.malformed))
        #expect(UpstreamError.truncated("x").outcome == .failure(.truncated))
    }
}
#endif
