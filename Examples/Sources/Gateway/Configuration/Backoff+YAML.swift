import Spillway

extension Backoff {
    private enum Kind { case none, constant, linear, exponential }

    /// Reads the field `backoff`.
    init(_ field: Field) throws {
        let fields = try field.fields("kind", "fromMs", "capMs", "jitter")
        let kind = try fields.required("kind").choice([
            "none": Kind.none, "constant": .constant, "linear": .linear, "exponential": .exponential,
        ])
        let jitter: Jitter =
            try fields["jitter"]?.choice([
                "none": Jitter.none, "full": .full, "equal": .equal, "decorrelated": .decorrelated,
            ]) ?? .full
        if kind == .none {
            self = .none
            return
        }
        guard let from = try fields.milliseconds("fromMs") else { throw field.fault("the field 'fromMs' is missing") }
        let cap = try fields.milliseconds("capMs") ?? max(from, .seconds(20))
        self = try field.blame { () throws(ConfigurationError) in
            switch kind {
            case .linear: try .linear(from: from, cap: cap, jitter: jitter)
            case .exponential: try .exponential(from: from, cap: cap, jitter: jitter)
            default: try .constant(from, jitter: jitter)
            }
        }
    }
}
