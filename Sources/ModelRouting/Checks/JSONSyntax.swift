/// Whether a text is JSON, as RFC 8259 has it; nothing is built.
struct JSONSyntax {
    /// The most levels of arrays and objects inside each other, so that no answer can exhaust the stack.
    static let mostLevels = 128

    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    static func isObject(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var syntax = JSONSyntax(bytes: bytes)
            syntax.skipBlanks()
            guard syntax.next == UInt8(ascii: "{"), syntax.value(0) else { return false }
            syntax.skipBlanks()
            return syntax.next == nil
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 32 || byte == 10 || byte == 13 || byte == 9 { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(_ level: Int) -> Bool {
        guard level <= Self.mostLevels, let byte = next else { return false }
        switch byte {
        case UInt8(ascii: "{"): return list(UInt8(ascii: "}"), level, named: true)
        case UInt8(ascii: "["): return list(UInt8(ascii: "]"), level, named: false)
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func list(_ end: UInt8, _ level: Int, named: Bool) -> Bool {
        place += 1
        skipBlanks()
        if take(end) { return true }
        while true {
            if named {
                skipBlanks()
                guard string() else { return false }
                skipBlanks()
                guard take(UInt8(ascii: ":")) else { return false }
            }
            skipBlanks()
            guard value(level + 1) else { return false }
            skipBlanks()
            if take(end) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func string() -> Bool {
        guard take(UInt8(ascii: "\"")) else { return false }
        while let byte = next {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case 0..<32: return false
            case UInt8(ascii: "\\"):
                guard let escaped = next else { return false }
                place += 1
                if escaped == UInt8(ascii: "u") {
                    for _ in 0..<4 {
                        guard let digit = next, Self.isHex(digit) else { return false }
                        place += 1
                    }
                } else if !"\"\\/bfnrt".utf8.contains(escaped) {
                    return false
                }
            default: break
            }
        }
        return false
    }

    private mutating func number() -> Bool {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")), !digits() { return false }
        if take(UInt8(ascii: ".")), !digits() { return false }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            place += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            return digits()
        }
        return true
    }

    private mutating func digits() -> Bool {
        let first = place
        while let byte = next, byte >= 48, byte <= 57 { place += 1 }
        return place > first
    }

    private mutating func word(_ word: StaticString) -> Bool {
        for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) { return false }
        return true
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...102).contains(byte | 0x20)
    }
}
