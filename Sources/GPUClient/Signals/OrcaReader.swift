internal import CSpillway

/// One pass over a header of ORCA, in either form.
struct OrcaReader {
    private(set) var waiting: Int?
    private(set) var running: Int?
    private(set) var kvUse: Double?
    private(set) var unreadable = 0

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ header: UnsafeRawBufferPointer) { bytes = header.bindMemory(to: UInt8.self) }

    mutating func read() {
        skipBlanks()
        let isText = take(word: "TEXT"), isJSON = !isText && take(word: "JSON")
        if isText || isJSON { skipBlanks() }
        if next == UInt8(ascii: "{") && !isText {
            let isWhole = object(depth: 0, named: true)
            skipBlanks()
            if !isWhole || next != nil { unreadable += 1 }
        } else if isJSON {
            unreadable += 1
        } else {
            pairs()
        }
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { at += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    /// Passes over a word, in whatever case, if a blank or a brace follows.
    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - at > count else { return false }
        for index in 0..<count where bytes[at + index] & 0xDF != word.utf8Start[index] { return false }
        let after = bytes[at + count]
        guard after == 0x20 || after == 0x09 || after == UInt8(ascii: "{") else { return false }
        at += count
        return true
    }

    /// `name=number, name=number`.
    private mutating func pairs() {
        while next != nil {
            skipBlanks()
            let start = at
            while let byte = next, byte != UInt8(ascii: "="), byte != UInt8(ascii: ",") { at += 1 }
            let name = trimmed(start, at)
            guard take("=") else {
                if !name.isEmpty { unreadable += 1 }
                _ = take(",")
                continue
            }
            skipBlanks()
            let value = number()
            skipBlanks()
            let isWhole = next == nil || next == UInt8(ascii: ",")
            while let byte = next, byte != UInt8(ascii: ",") { at += 1 }
            _ = take(",")
            note(name, isWhole ? value : nil)
        }
    }

    private func trimmed(_ start: Int, _ end: Int) -> Range<Int> {
        var end = end
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    private mutating func number() -> Double? {
        guard let base = bytes.baseAddress else { return nil }
        var place: UnsafePointer<UInt8>? = base + at
        var value = 0.0
        guard spw_number(&place, base + bytes.count, &value), let place else { return nil }
        at = place - base
        return value
    }

    /// Takes a value if its name is one of those that matter.
    private mutating func note(_ name: Range<Int>, _ value: Double?) {
        var name = name
        if starts(name, "named_metrics.") { name = name.lowerBound + 14..<name.upperBound }
        if starts(name, "vllm:") { name = name.lowerBound + 5..<name.upperBound }
        // vLLM's names, and Triton's.
        if equals(name, "kv_cache_usage_perc") || equals(name, "gpu_cache_usage_perc")
            || equals(name, "kv_cache_utilization")
        {
            if let share = inRange(SPW_KV_USE, value) { kvUse = share }
        } else if equals(name, "num_requests_waiting") {
            if let count = inRange(SPW_WAITING, value) { waiting = Int(count.rounded()) }
        } else if equals(name, "num_requests_running") {
            if let count = inRange(SPW_RUNNING, value) { running = Int(count.rounded()) }
        }
    }

    private mutating func inRange(_ field: spw_metric_field, _ value: Double?) -> Double? {
        let value = value.map { spw_metric_in_range(field, $0) } ?? .nan
        if value.isNaN { unreadable += 1 }
        return value.isNaN ? nil : value
    }

    private func starts(_ name: Range<Int>, _ prefix: StaticString) -> Bool {
        guard name.count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount
        where bytes[name.lowerBound + index] != prefix.utf8Start[index] { return false }
        return true
    }

    private func equals(_ name: Range<Int>, _ text: StaticString) -> Bool {
        name.count == text.utf8CodeUnitCount && starts(name, text)
    }
}

extension OrcaReader {
    /// Objects within each other.
    private static let deepest = 16

    /// An object; its numbers are noted at the top and in `named_metrics`, whatever else there is is passed over.
    ///
    /// False when it is broken: what was read before stays.
    private mutating func object(depth: Int, named: Bool) -> Bool {
        guard depth < Self.deepest, take("{") else { return false }
        skipBlanks()
        if take("}") { return true }
        repeat {
            skipBlanks()
            guard let name = string() else { return false }
            skipBlanks()
            guard take(":"), value(of: name, depth: depth, named: named) else { return false }
            skipBlanks()
        } while take(",")
        return take("}")
    }

    private mutating func value(of name: Range<Int>, depth: Int, named: Bool) -> Bool {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"):
            return object(depth: depth + 1, named: named && equals(name, "named_metrics"))
        case UInt8(ascii: "["):
            return array(depth: depth + 1)
        case UInt8(ascii: "\""):
            guard string() != nil else { return false }
            if named { note(name, nil) }
        default:
            let start = at
            let number = number()
            if number == nil, !word() { return false }
            // Words, and numbers that JSON does not have, tell nothing.
            let isPlain = at > start && (bytes[start] == UInt8(ascii: "-") || bytes[start] &- UInt8(ascii: "0") < 10)
            if named { note(name, isPlain ? number : nil) }
        }
        return true
    }

    private mutating func array(depth: Int) -> Bool {
        guard depth < Self.deepest, take("[") else { return false }
        skipBlanks()
        if take("]") { return true }
        repeat {
            guard value(of: at..<at, depth: depth, named: false) else { return false }
            skipBlanks()
        } while take(",")
        return take("]")
    }

    /// Letters, such as `null`.
    private mutating func word() -> Bool {
        let start = at
        while let byte = next, byte | 0x20 >= UInt8(ascii: "a"), byte | 0x20 <= UInt8(ascii: "z") { at += 1 }
        return at > start
    }

    /// Where the text of a string lies, with its escapes.
    private mutating func string() -> Range<Int>? {
        guard take("\"") else { return nil }
        let start = at
        while let byte = next, byte != UInt8(ascii: "\"") { at += byte == UInt8(ascii: "\\") ? 2 : 1 }
        guard take("\"") else { return nil }
        return start..<at - 1
    }
}
