/// A deterministic vector of length 1 for a text.
struct EmbeddingVector: Sendable {
    static let dimensions = 64

    let components: [Double]

    /// The vector of `text`; equal texts and seeds give equal vectors.
    init(_ text: String, seed: UInt64) {
        var hash = StableHash()
        for byte in text.utf8 {
            hash.combine(byte)
        }
        var random = SplitMix64(seed: seed ^ hash.value)
        let raw = (0..<Self.dimensions).map { _ in Double.random(in: -1...1, using: &random) }
        let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        components = raw.map { $0 / length }
    }
}
