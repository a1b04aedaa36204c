import HTTPTypes

/// Who answered, or was asked last.
struct Origin: Sendable {
    let upstream: String?
    let model: String?
    /// Attempts so far.
    let attempts: Int
}

extension HTTPFields {
    /// These fields, and who answered at which attempt.
    func naming(_ origin: Origin) -> HTTPFields {
        var fields = self
        fields[.init("x-spillway-attempts")!] = "\(origin.attempts)"
        fields[.init("x-spillway-upstream")!] = origin.upstream
        fields[.init("x-spillway-model")!] = origin.model
        return fields
    }
}
