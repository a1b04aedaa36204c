import SpillwayCore

@testable import CostLedger

/// Runs `body` for each of `count` seeds; what it expects names the seed.
func forEachSeed(_ count: UInt64, _ body: (UInt64, inout RandomSource) throws -> Void) rethrows {
    for seed in 1...count {
        var random = RandomSource.seeded(seed)
        try body(seed, &random)
    }
}

extension RandomSource {
    /// A number from 0 to `most`.
    mutating func upTo(_ most: Int) -> Int { Int(next(through: UInt64(most))) }

    /// `text` with one to four of its bytes changed, put in, or left out, or cut short.
    mutating func mutated(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...upTo(3) where !bytes.isEmpty {
            let at = upTo(bytes.count - 1), byte = UInt8(truncatingIfNeeded: next())
            switch upTo(4) {
            case 0: bytes[at] = byte
            case 1: bytes.insert(byte, at: at)
            case 2: bytes.remove(at: at)
            case 3: bytes[at] = Array(#"{}[]",:-0.9eE\u"#.utf8)[upTo(14)]
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }
}
