/// Text that is not the JSON that was expected, with the place where that showed.
public struct MalformedJSON: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let reason: String
    /// The byte at which it is wrong, counted from 0.
    public let offset: Int

    /// One line with the place and the reason.
    public var description: String { "byte \(offset): \(reason)" }
}

/// A JSON value (RFC 8259) whose numbers stay as they are written, because money must not pass through a `Double`.
///
/// Strict: no duplicate keys, no bytes that are not UTF-8, no surrogates without their half, nothing after the value.
enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Sendable, Hashable {
        var key: String
        var value: JSON
    }

    /// Arrays and objects within each other.
    static let deepest = 64
    /// Bytes of text.
    static let longest = 64 << 20

    /// Reads exactly one value.
    init(_ bytes: some Collection<UInt8>) throws(MalformedJSON) {
        let result =
            bytes.withContiguousStorageIfAvailable(Self.read) ?? Array(bytes).withUnsafeBufferPointer(Self.read)
        self = try result.get()
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSON, MalformedJSON> {
        var reader = Reader(bytes: bytes)
        do throws(MalformedJSON) {
            return .success(try reader.document())
        } catch {
            return .failure(error)
        }
    }

    /// The value of `key`; nil when this is no object, or has no such member, or null there.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self, let value = members.first(where: { $0.key == key })?.value,
            value != .null
        else { return nil }
        return value
    }

    /// The text of a string.
    var text: String? { if case .string(let text) = self { text } else { nil } }
    /// The literal of a number.
    var literal: String? { if case .number(let literal) = self { literal } else { nil } }
    /// The elements of an array.
    var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    /// The members of an object, in their order.
    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension JSON {
    /// One pass over the text, by recursive descent.
    private struct Reader {
        let bytes: UnsafeBufferPointer<UInt8>
        var at = 0
        var depth = 0

        mutating func document() throws(MalformedJSON) -> JSON {
            guard bytes.count <= longest else { throw failure("more than \(longest) bytes", at: longest) }
            let value = try value()
            skipSpace()
            guard at == bytes.count else { throw failure("text after the value") }
            return value
        }

        private func failure(_ reason: String, at offset: Int? = nil) -> MalformedJSON {
            MalformedJSON(reason: reason, offset: offset ?? at)
        }
        private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

        private mutating func skipSpace() {
            while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
        }

        /// Passes over `byte` if it comes next.
        private mutating func take(_ byte: Unicode.Scalar) -> Bool {
            guard next == UInt8(ascii: byte) else { return false }
            at += 1
            return true
        }

        private mutating func expect(_ byte: Unicode.Scalar) throws(MalformedJSON) {
            guard take(byte) else { throw failure(next == nil ? "ends too early" : "'\(byte)' expected") }
        }

        private mutating func value() throws(MalformedJSON) -> JSON {
            skipSpace()
            guard let byte = next else { throw failure("ends too early") }
            switch byte {
            case UInt8(ascii: "{"): return try nested { (reader) throws(MalformedJSON) in try reader.object() }
            case UInt8(ascii: "["): return try nested { (reader) throws(MalformedJSON) in try reader.array() }
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: throw failure("a value expected")
            }
        }

        private mutating func nested(
            _ read: (inout Reader) throws(MalformedJSON) -> JSON
        ) throws(MalformedJSON) -> JSON {
            guard depth < deepest else { throw failure("deeper than \(deepest)") }
            depth += 1
            defer { depth -= 1 }
            at += 1
            return try read(&self)
        }

        private mutating func word(_ word: StaticString, _ value: JSON) throws(MalformedJSON) -> JSON {
            for index in 0..<word.utf8CodeUnitCount {
                guard next == word.utf8Start[index] else {
                    throw failure(next == nil ? "ends too early" : "'\(word)' expected")
                }
                at += 1
            }
            return value
        }

        private mutating func array() throws(MalformedJSON) -> JSON {
            var elements: [JSON] = []
            skipSpace()
            if take("]") { return .array([]) }
            repeat {
                elements.append(try value())
                skipSpace()
            } while take(",")
            try expect("]")
            return .array(elements)
        }

        private mutating func object() throws(MalformedJSON) -> JSON {
            var members: [Member] = [], keys: Set<String> = []
            skipSpace()
            if take("}") { return .object([]) }
            repeat {
                skipSpace()
                let start = at
                guard next == UInt8(ascii: "\"") else {
                    throw failure(next == nil ? "ends too early" : "a key expected")
                }
                let key = try string()
                // A handful of keys is compared quicker than hashed.
                if members.count == 16 { keys = Set(members.map(\.key)) }
                let isNew =
                    members.count < 16 ? !members.contains { $0.key == key } : keys.insert(key).inserted
                guard isNew else { throw failure("the key '\(key.prefix(60))' again", at: start) }
                skipSpace()
                try expect(":")
                members.append(Member(key: key, value: try value()))
                skipSpace()
            } while take(",")
            try expect("}")
            return .object(members)
        }

        private mutating func digits() throws(MalformedJSON) {
            guard let first = next, isDigit(first) else {
                throw failure(next == nil ? "ends too early" : "a digit expected")
            }
            while let byte = next, isDigit(byte) { at += 1 }
        }
        private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

        private mutating func number() throws(MalformedJSON) -> String {
            let start = at
            _ = take("-")
            if take("0") {
                if let byte = next, isDigit(byte) { throw failure("a number begins with 0") }
            } else {
                try digits()
            }
            if take(".") { try digits() }
            if take("e") || take("E") {
                _ = take("+") || take("-")
                try digits()
            }
            return String(decoding: bytes[start..<at], as: UTF8.self)
        }

        private mutating func string() throws(MalformedJSON) -> String {
            at += 1
            var text = "", start = at
            while let byte = next, byte != UInt8(ascii: "\"") {
                guard byte >= 0x20 else { throw failure("a control character in a string") }
                if byte == UInt8(ascii: "\\") {
                    text += try piece(from: start)
                    text.unicodeScalars.append(try escape())
                    start = at
                } else {
                    at += 1
                }
            }
            let end = try piece(from: start)
            try expect("\"")
            return text.isEmpty ? end : text + end
        }

        /// The bytes from `start` to here as text.
        private func piece(from start: Int) throws(MalformedJSON) -> String {
            guard let text = String(validating: bytes[start..<at], as: UTF8.self) else {
                throw failure("not UTF-8", at: start)
            }
            return text
        }

        private mutating func escape() throws(MalformedJSON) -> Unicode.Scalar {
            let start = at
            at += 1
            guard let byte = next else { throw failure("ends too early") }
            at += 1
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
            case UInt8(ascii: "b"): return "\u{8}"
            case UInt8(ascii: "f"): return "\u{C}"
            case UInt8(ascii: "n"): return "\n"
            case UInt8(ascii: "r"): return "\r"
            case UInt8(ascii: "t"): return "\t"
            case UInt8(ascii: "u"): break
            default: throw failure("no such escape", at: start)
            }
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard unit < 0xDC00, take("\\"), take("u") else { throw failure("half a surrogate pair", at: start) }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw failure("half a surrogate pair", at: start) }
            return scalar
        }

        private mutating func hexadecimal() throws(MalformedJSON) -> UInt32 {
            var value = UInt32(0)
            for _ in 0..<4 {
                guard let byte = next else { throw failure("ends too early") }
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                    throw failure("a hexadecimal digit expected")
                }
                value = value << 4 | UInt32(digit)
                at += 1
            }
            return value
        }
    }
}
