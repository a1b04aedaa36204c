/// A prompt as the engine sees it.
struct Prompt: Sendable, Equatable {
    /// Four UTF-8 bytes count as one token; at least 1.
    let tokens: Int
    /// Chained hashes of the whole blocks, so that equal hashes mean equal prefixes.
    let blocks: [UInt64]
    /// The hash of the whole text, the seed of whatever is generated for it.
    let hash: UInt64

    /// Tokenises `text` into blocks of `blockSize` tokens.
    init(_ text: String, blockSize: Int) {
        tokens = max(1, text.utf8.count / 4)
        let bytesPerBlock = blockSize * 4
        var hash = StableHash()
        var blocks: [UInt64] = []
        for (index, byte) in text.utf8.enumerated() {
            hash.combine(byte)
            if (index + 1).isMultiple(of: bytesPerBlock) {
                blocks.append(hash.value)
            }
        }
        self.blocks = blocks
        self.hash = hash.value
    }
}
