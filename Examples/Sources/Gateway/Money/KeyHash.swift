import Crypto
import Foundation

/// The SHA-256 hash of an API key: all that is kept and shown of it.
struct KeyHash: Sendable, Hashable {
    private let bytes: [UInt8]

    /// The hash of a key.
    init(of key: String) {
        bytes = Array(SHA256.hash(data: Array(key.utf8)))
    }

    /// A hash as it stands in the file, `sha256:` and 64 hexadecimal digits; nil for anything else.
    init?(_ text: String) {
        let digits = Array(text.dropFirst(7).utf8)
        guard text.hasPrefix("sha256:"), digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = Character(Unicode.Scalar(digits[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(digits[index + 1])).hexDigitValue
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self.bytes = bytes
    }

    /// As it stands in the file.
    var text: String { "sha256:" + Self.digits(bytes[...]) }

    /// Its first 8 digits: enough to tell the keys of a gateway apart, and nothing to find the key by.
    var short: String { Self.digits(bytes.prefix(4)) }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String(0x100 + Int($0), radix: 16).suffix(2) }.joined()
    }

    /// Whether it is that of `digest`, in a time that does not depend on where they differ.
    func matches(_ digest: SHA256.Digest) -> Bool { digest == bytes }
}

/// Whose key is whose.
struct KeyRing<Owner: Sendable>: Sendable {
    private let entries: [(hash: KeyHash, owner: Owner)]

    /// Keys and their owners.
    init(_ entries: [(hash: KeyHash, owner: Owner)]) { self.entries = entries }

    /// The owner of `key`; nil: nobody.
    func owner(of key: some StringProtocol) -> Owner? {
        let digest = SHA256.hash(data: Array(key.utf8))
        var found: Owner?
        // All of them, so that the time does not say which one it was, or whether there was one.
        for (hash, owner) in entries where hash.matches(digest) { found = owner }
        return found
    }
}
