import Crypto
import Foundation

/// What became of one passage: a line of the journal.
///
///     key tokens + vector check        the vector's floats, little endian, in base64
///     key tokens - reason check        why there will be none, in base64
///
/// The check is over the rest of the line, so that a line which was written in part, or lost a part, is known for what it is.
struct JournalRecord: Sendable, Equatable {
    enum Result: Sendable, Equatable {
        case vector([Float])
        case failure(String)
    }

    let key: PassageKey
    /// Tokens that the provider counted for it, or its share of those of its request.
    let tokens: Int
    let result: Result

    /// The line, with its end.
    var line: [UInt8] {
        let sign: String, payload: Data
        switch result {
        case .vector(let vector): (sign, payload) = ("+", Self.data(vector))
        case .failure(let reason): (sign, payload) = ("-", Data(reason.utf8))
        }
        let text = "\(key) \(tokens) \(sign) \(payload.base64EncodedString()) "
        return Array((text + Self.check(Array(text.utf8)) + "\n").utf8)
    }

    /// What a line says without its vector, and where in the line that stands; nil for one that is broken.
    static func index(
        _ line: ArraySlice<UInt8>
    ) -> (key: PassageKey, tokens: Int, isFailure: Bool, payload: Range<Int>)? {
        let length = 16
        guard line.count > length, check(line.dropLast(length)) == String(decoding: line.suffix(length), as: UTF8.self)
        else { return nil }
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 5, let key = PassageKey(String(decoding: parts[0], as: UTF8.self)),
            let tokens = Int(String(decoding: parts[1], as: UTF8.self)), tokens >= 0,
            ["+", "-"].contains(String(decoding: parts[2], as: UTF8.self))
        else { return nil }
        let payload = parts[3].startIndex - line.startIndex..<parts[3].endIndex - line.startIndex
        return (key, tokens, parts[2].first == UInt8(ascii: "-"), payload)
    }

    /// The floats, little endian.
    static func data(_ vector: [Float]) -> Data {
        var data = Data(capacity: vector.count * 4)
        for number in vector { withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
        return data
    }

    private static func check(_ bytes: some Collection<UInt8>) -> String {
        let digest = SHA256.hash(data: Data(bytes))
        return digest.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
