#if HTTPClientSupport
internal import Spillway

extension UpstreamError {
    /// What an attempt fails with that met a limit on its time.
    static func met(_ limit: TimeLimit) -> UpstreamError {
        let what =
            switch limit {
            case .deadline: "the call took too long"
            case .attempt: "the attempt took too long"
            case .firstContent: "no content came in time"
            case .stall: "no more content came in time"
            case .tokenRate: "the content came too slowly"
            case .handOver: "the replica is to be left"
            default: "a limit was met: \(limit)"
            }
        return UpstreamError(what, limit.outcome)
    }
}
#endif
