#if HTTPClientSupport
/// Takes a `text/event-stream` apart as its bytes come, split anywhere (WHATWG HTML, section 9.2).
///
/// Comments, which servers send to keep a connection alive, are counted and are no events.
public struct ServerSentEventParser: Sendable {
    /// An event, or a single line, was longer than the parser allows.
    public struct TooLarge: Error, Hashable, CustomStringConvertible {
        /// The most bytes that are allowed.
        public let limit: Int

        /// An event larger than `limit` bytes.
        public init(limit: Int) {
            self.limit = limit
        }

        /// One line with the limit.
        public var description: String { "an event of the stream is larger than \(limit) bytes" }
    }

    /// The most bytes of one event.
    public let limit: Int
    /// Comments so far.
    public private(set) var comments = 0

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var event = ""
    private var id: String?
    private var afterReturn = false
    private var isFirstLine = true

    /// A parser at the start of a stream.
    ///
    /// - Parameter limit: The most bytes of one event, 1 MiB by default.
    public init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Reads more bytes and returns the events that they complete.
    ///
    /// - Throws: ``TooLarge``; then the stream cannot be read any further.
    public mutating func feed(_ bytes: some Sequence<UInt8>) throws(TooLarge) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let second = afterReturn && byte == UInt8(ascii: "\n")
            afterReturn = byte == UInt8(ascii: "\r")
            if second { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let event = endLine() { events.append(event) }
            } else {
                guard line.count + data.count < limit else { throw TooLarge(limit: limit) }
                line.append(byte)
            }
        }
        return events
    }

    /// Ends the stream and drops an event that no blank line has ended, as the specification asks.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public mutating func finish() -> Bool {
        let unfinished = hasData || !line.isEmpty
        self = ServerSentEventParser(limit: limit)
        return unfinished
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "": comments += 1
        case "data":
            if hasData { data.append(UInt8(ascii: "\n")) }
            hasData = true
            data += value
        case "event": event = String(decoding: value, as: UTF8.self)
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        default: break  // `retry` is for clients that connect again by themselves; others are to be ignored.
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
            event = ""
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            event: event.isEmpty ? "message" : event, data: String(decoding: data, as: UTF8.self), id: id)
    }
}
#endif
