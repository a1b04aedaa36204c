import Foundation

/// Writes what a finished run gives: a vector for each passage, and the passages that have none.
///
/// Both are written anew from the journal, in the order of the files and with nothing in them that depends on when a vector came,
/// and take the place of older ones at once: so a run that was killed a hundred times ends with the same bytes as one that was not.
struct ResultFiles: Sendable {
    let folder: URL

    static let vectors = "embeddings.jsonl"
    static let failures = "failed.jsonl"

    /// What each line says of where its passage stands.
    private struct Place: Encodable {
        let file: String
        let passage: Int
        let offset: Int
        let bytes: Int
        let key: String
    }

    /// Writes both files; returns how many passages have a vector and how many have none.
    ///
    /// - Throws: `InputError` when a passage is in the journal with no result, or vectors differ in length.
    func write(_ corpus: Corpus, _ journal: Journal) throws -> (vectors: Int, failures: Int) {
        let vectors = try NewFile(folder, Self.vectors), failures = try NewFile(folder, Self.failures)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var counts = (vectors: 0, failures: 0), length: Int?
        for passage in corpus.passages {
            guard let entry = journal[passage.key] else { throw InputError("\(journal.path) misses a passage") }
            let payload = String(decoding: try journal.payload(entry), as: UTF8.self)
            let place = Place(
                file: corpus.files[passage.file], passage: passage.number, offset: passage.range.lowerBound,
                bytes: passage.range.count, key: "\(passage.key)")
            let head = String(decoding: try encoder.encode(place).dropLast(), as: UTF8.self)
            if entry.isFailure {
                counts.failures += 1
                let reason = Data(base64Encoded: payload).map { String(decoding: $0, as: UTF8.self) } ?? ""
                let text = String(decoding: try encoder.encode(reason), as: UTF8.self)
                try failures.add("\(head),\"reason\":\(text)}\n")
            } else {
                counts.vectors += 1
                // Base64 of floats has no character that JSON escapes.
                try vectors.add("\(head),\"vector\":\"\(payload)\"}\n")
                guard length ?? entry.length == entry.length else {
                    throw InputError(
                        "\(corpus.files[passage.file]): its vectors have another length than those before; the model "
                            + "has changed behind its name, so begin a new --output")
                }
                length = entry.length
            }
        }
        try failures.finish()
        try vectors.finish()
        try Folder.sync(folder.path)
        return counts
    }
}

/// A file that takes the place of an older one when it is whole.
private final class NewFile {
    private let handle: FileHandle
    private let part: String
    private let path: String
    private var gathered = Data()

    init(_ folder: URL, _ name: String) throws {
        path = folder.appendingPathComponent(name).path
        part = path + ".part"
        guard FileManager.default.createFile(atPath: part, contents: nil),
            let handle = FileHandle(forWritingAtPath: part)
        else { throw InputError("\(part) cannot be written") }
        self.handle = handle
    }

    deinit { try? handle.close() }

    func add(_ line: String) throws {
        gathered.append(contentsOf: line.utf8)
        if gathered.count > 1 << 20 { try flush() }
    }

    func finish() throws {
        try flush()
        try handle.synchronize()
        guard rename(part, path) == 0 else { throw InputError("\(path) cannot be replaced: \(Journal.reason)") }
    }

    private func flush() throws {
        do { try handle.write(contentsOf: gathered) } catch {
            throw InputError("\(part) cannot be written: \(error.localizedDescription)")
        }
        gathered = Data()
    }
}
