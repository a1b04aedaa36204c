import Foundation

/// Reads a journal from its beginning and finds where its good part ends.
struct JournalScan {
    private(set) var entries: [PassageKey: Journal.Entry] = [:]
    private(set) var findings = Journal.Findings()
    /// Where the next record goes.
    private(set) var end = 0
    private let file: Int32
    private let path: String
    /// Broken lines since the last good one.
    private var doubtful = 0

    /// Reads all lines; refuses a file that is no journal.
    init(_ file: Int32, _ path: String) throws {
        self.file = file
        self.path = path
        let header = Journal.header
        var start = 0, carried: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 20), isFirst = true
        lseek(file, 0, SEEK_SET)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw InputError("\(path) cannot be read: \(Journal.reason)") }
            guard count > 0 else { break }
            carried += chunk[..<count]
            if isFirst {
                // Also a part of the header, which a process that died early may have left.
                guard carried.prefix(header.count) == header.prefix(carried.count) else {
                    throw InputError("\(path) is no journal of BatchEmbeddings")
                }
                guard carried.count >= header.count else { continue }
                carried.removeFirst(header.count)
                (start, end, isFirst) = (header.count, header.count, false)
            }
            var line = 0
            while let stop = carried[line...].firstIndex(of: 0x0A) {
                take(carried[line..<stop], at: start + line)
                line = stop + 1
            }
            carried.removeFirst(line)
            start += line
        }
        findings.cut = Int(lseek(file, 0, SEEK_END)) - end
    }

    /// Cuts off what stands behind the last good line, and begins a new file with its header.
    mutating func mend() throws {
        if findings.cut > 0 {
            guard ftruncate(file, off_t(end)) == 0 else { throw InputError("\(path) cannot be cut: \(Journal.reason)") }
        }
        lseek(file, off_t(end), SEEK_SET)
        guard end == 0 else { return }
        try Journal.put(Journal.header, file, path)
        try Folder.sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        end = Journal.header.count
    }

    private mutating func take(_ line: ArraySlice<UInt8>, at offset: Int) {
        guard let (key, tokens, isFailure, payload) = JournalRecord.index(line) else {
            doubtful += 1
            return
        }
        // Broken lines before a good one are holes, not a torn end.
        findings.broken += doubtful
        doubtful = 0
        entries[key] = Journal.Entry(
            offset: offset + payload.lowerBound, length: payload.count, tokens: tokens, isFailure: isFailure)
        end = offset + line.count + 1
    }
}

/// What is done with folders.
enum Folder {
    /// Sees to it that new names in a folder survive a crash.
    static func sync(_ path: String) throws {
        let folder = open(path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw InputError("\(path) cannot be opened: \(Journal.reason)") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw InputError("\(path) cannot be synced: \(Journal.reason)") }
    }
}
