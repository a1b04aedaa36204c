/// Reads comma-separated values as RFC 4180 has them, line ends of one byte too; what is wrong is told and not mended.
struct CSVReader {
    /// A record, and the line of the file that it begins in.
    struct Record: Equatable {
        var line: Int
        var fields: [String]
        /// What is wrong with it; nil: nothing.
        var problem: String?
    }

    private let bytes: [UInt8]
    private var place = 0
    private var line = 1

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        // A byte order mark is no part of the first name.
        if self.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    }

    /// All records; empty lines are none.
    static func records(_ bytes: some Sequence<UInt8>) -> [Record] {
        var reader = CSVReader(bytes), records: [Record] = []
        while let record = reader.next() {
            if record.fields != [""] || record.problem != nil { records.append(record) }
        }
        return records
    }

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func next() -> Record? {
        guard byte != nil else { return nil }
        var record = Record(line: line, fields: [], problem: nil)
        while true {
            record.fields.append(field(&record.problem))
            if byte == Self.comma {
                place += 1
                continue
            }
            if byte == Self.carriageReturn { place += 1 }
            if byte == Self.newline { place += 1 }
            line += 1
            return record
        }
    }

    /// One field; stops at a comma, a line end or the end.
    private mutating func field(_ problem: inout String?) -> String {
        var text: [UInt8] = []
        if byte == Self.quote {
            let start = line
            place += 1
            while true {
                guard let next = byte else {
                    problem = problem ?? "the quote of line \(start) is never closed; nothing after it was read"
                    return Self.string(text, &problem)
                }
                place += 1
                if next == Self.quote {
                    guard byte == Self.quote else { break }
                    place += 1
                }
                if next == Self.newline { line += 1 }
                text.append(next)
            }
            if !isAtEnd { problem = problem ?? "text after a closing quote" }
        }
        while !isAtEnd, let next = byte {
            if next == Self.quote { problem = problem ?? "a quote inside of a field that does not begin with one" }
            text.append(next)
            place += 1
        }
        return Self.string(text, &problem)
    }

    private var isAtEnd: Bool {
        guard let byte else { return true }
        if byte == Self.carriageReturn { return place + 1 == bytes.count || bytes[place + 1] == Self.newline }
        return byte == Self.comma || byte == Self.newline
    }

    private static func string(_ bytes: [UInt8], _ problem: inout String?) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problem = problem ?? "not UTF-8"
            return String(decoding: bytes, as: UTF8.self)
        }
        return text
    }
}
