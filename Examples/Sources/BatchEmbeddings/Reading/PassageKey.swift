import Crypto
import Foundation

/// What tells one embedding from all others: a hash of the model, the number of dimensions, and the passage.
///
/// So a file that changed has other passages, and one that moved, or repeats another, has not.
struct PassageKey: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// The first half of the SHA-256.
    init(_ text: String, model: String, dimensions: Int?) {
        var hash = SHA256()
        // A name has no zero byte, so that no two triples run together the same way.
        hash.update(data: Data("\(model)\0\(dimensions ?? 0)\0".utf8))
        hash.update(data: Data(text.utf8))
        let digest = hash.finalize()
        (high, low) = digest.withUnsafeBytes {
            (
                UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// The key that is written as 32 hexadecimal digits.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        (self.high, self.low) = (high, low)
    }

    var description: String { Self.hex(high) + Self.hex(low) }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
