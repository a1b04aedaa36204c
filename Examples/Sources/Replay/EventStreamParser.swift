/// Turns bytes into server-sent events, wherever the bytes are split.
///
/// Lines end with LF, CRLF or CR. Comments, `id`, `retry` and unknown fields are dropped, and so is an event that
/// the stream ends within.
struct EventStreamParser: Sendable {
    private var line: [UInt8] = []
    private var data: [String] = []
    private var name: String?
    private var lastWasCarriageReturn = false

    /// Takes the next bytes and returns the events that they complete.
    mutating func feed(_ bytes: [UInt8]) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            // The LF of a CRLF ends no second line.
            let endsPair = byte == UInt8(ascii: "\n") && lastWasCarriageReturn
            lastWasCarriageReturn = byte == UInt8(ascii: "\r")
            if endsPair { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let event = endLine() { events.append(event) }
            } else {
                line.append(byte)
            }
        }
        return events
    }

    /// Applies the finished line; an empty one ends the event.
    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            defer { (name, data) = (nil, []) }
            return data.isEmpty ? nil : ServerSentEvent(name: name, data: data.joined(separator: "\n"))
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data": data.append(String(decoding: value, as: UTF8.self))
        case "event": name = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }
}
