import Dispatch
import Foundation
import Synchronization

/// What has been embedded so far: a file that only grows, and survives the death of the process at any moment.
///
/// Who appends goes on when its records are on the disk. While one group is being synced the next one gathers, so that many
/// callers share one sync. One process has a journal at a time.
final class Journal: Sendable {
    /// Where the result of a passage stands in the file.
    struct Entry: Sendable, Equatable {
        let offset: Int
        let length: Int
        let tokens: Int
        let isFailure: Bool
    }

    /// What was found when the file was opened.
    struct Findings: Sendable, Equatable {
        /// Bytes of a torn end that were cut off.
        var cut = 0
        /// Broken lines before the end, which were passed over.
        var broken = 0
    }

    /// What is written and synced at once.
    private typealias Group = (
        bytes: [UInt8], arrivals: [(PassageKey, Entry)], waiters: [CheckedContinuation<Void, any Error>]
    )

    private struct State {
        var entries: [PassageKey: Entry] = [:]
        var end = 0
        var gathered: [UInt8] = []
        var arrivals: [(PassageKey, Entry)] = []
        var waiters: [CheckedContinuation<Void, any Error>] = []
        var isWriting = false
        var isClosed = false
        /// Once a write has failed the file may end anywhere, so that nothing more is written.
        var failure: InputError?
    }

    let path: String
    let findings: Findings
    private let file: Int32
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "journal")

    static let header = Array("spillway-embeddings 1\n".utf8)

    /// Opens the journal, or makes one, and cuts a torn end off.
    convenience init(_ path: String) throws {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw InputError("\(path) cannot be opened: \(Self.reason)") }
        try self.init(descriptor: file, path: path)
    }

    /// The journal in an open file, which it closes.
    init(descriptor file: Int32, path: String) throws {
        self.path = path
        self.file = file
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            Foundation.close(file)
            throw InputError("\(path) is in use by another run")
        }
        do {
            var scan = try JournalScan(file, path)
            try scan.mend()
            findings = scan.findings
            state = Mutex(State(entries: scan.entries, end: scan.end))
        } catch {
            Self.release(file)
            throw error
        }
    }

    deinit { if !state.withLock({ $0.isClosed }) { Self.release(file) } }

    /// Lets another run have the file; nothing may be appended any more.
    func close() {
        // Who has been answered may come here before the writer has ended.
        queue.sync {
            let wasClosed = state.withLock { state in
                defer { state.isClosed = true }
                return state.isClosed
            }
            if !wasClosed { Self.release(file) }
        }
    }

    /// Lets others have the file.
    ///
    /// Closing alone would not: a process that was forked just now has the descriptor, and with it the lock, until it runs its program.
    private static func release(_ file: Int32) {
        _ = flock(file, LOCK_UN)
        Foundation.close(file)
    }

    /// What stands in the journal of a passage; of several records the last one.
    subscript(key: PassageKey) -> Entry? { state.withLock { $0.entries[key] } }

    /// How many passages it knows, and the tokens of all of them.
    var totals: (passages: Int, tokens: Int) {
        state.withLock { state in (state.entries.count, state.entries.values.reduce(0) { $0 + $1.tokens }) }
    }

    /// Appends records, and returns when they are on the disk.
    func append(_ records: [JournalRecord]) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = state.withLock { state in
                for record in records { Self.gather(record.line, &state) }
                state.waiters.append(continuation)
                defer { state.isWriting = true }
                return !state.isWriting
            }
            if isFirst { queue.async { self.write() } }
        }
    }

    /// The vector of an entry in base64, or the reason of a failure.
    func payload(_ entry: Entry) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: entry.length)
        guard pread(file, &bytes, entry.length, off_t(entry.offset)) == entry.length else {
            throw InputError("\(path) cannot be read: \(Self.reason)")
        }
        return bytes
    }

    private static func gather(_ line: [UInt8], _ state: inout State) {
        guard let (key, tokens, isFailure, payload) = JournalRecord.index(line.dropLast()) else {
            preconditionFailure("a record is written as it is read")
        }
        let offset = state.end + state.gathered.count + payload.lowerBound
        state.arrivals.append((key, Entry(offset: offset, length: payload.count, tokens: tokens, isFailure: isFailure)))
        state.gathered += line
    }

    /// Writes groups until nothing is gathered any more.
    private func write() {
        while true {
            let group = state.withLock { state -> Group? in
                guard !state.waiters.isEmpty else {
                    state.isWriting = false
                    return nil
                }
                defer { (state.gathered, state.arrivals, state.waiters) = ([], [], []) }
                state.end += state.gathered.count
                return (state.gathered, state.arrivals, state.waiters)
            }
            guard let (bytes, arrivals, waiters) = group else { return }
            let result = Result { try state.withLock { $0.failure }.map { throw $0 } ?? Self.put(bytes, file, path) }
            state.withLock { state in
                switch result {
                case .success: for (key, entry) in arrivals { state.entries[key] = entry }
                case .failure(let error): state.failure = error as? InputError ?? InputError("\(error)")
                }
            }
            for waiter in waiters { waiter.resume(with: result) }
        }
    }

    /// Writes all bytes at the end of the file, and sees to it that they are on the disk.
    static func put(_ bytes: [UInt8], _ file: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw InputError("\(path) cannot be written: \(reason)") }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw InputError("\(path) cannot be synced: \(reason)") }
    }

    static var reason: String { String(cString: strerror(errno)) }
}
