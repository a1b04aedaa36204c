import Foundation
import Hummingbird
import NIOCore
import Spillway

extension Gateway {
    /// Whether the gateway takes calls: it does not drain, and some upstream may answer.
    var isReady: Bool { !isDraining && refusals(at: SystemTime().now).count < upstreams.count }

    /// The upstreams that would refuse a call now, and why.
    private func refusals(at now: Instant) -> [String: String] {
        upstreams.reduce(into: [:]) { $0[$1.name] = $1.refusal(at: now).map { "\($0)" } }
    }

    /// Whether the gateway takes calls, and which upstreams do not.
    func readiness() throws -> Response {
        struct Page: Encodable {
            let ready: Bool
            let draining: Bool
            let refusing: [String: String]
        }
        let refusing = refusals(at: SystemTime().now)
        let page = Page(
            ready: !isDraining && refusing.count < upstreams.count, draining: isDraining, refusing: refusing)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Response(
            status: page.ready ? .ok : .serviceUnavailable, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(data: try encoder.encode(page))))
    }
}
