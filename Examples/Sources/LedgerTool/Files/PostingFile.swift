import CostLedger
import Foundation
import SpillwayCore
import SpillwaySQLite

/// Somewhere that postings can be read from.
protocol PostingSource: Sendable {
    /// Calls `body` for each posting.
    func read(_ body: (Posting) throws -> Void) async throws
}

/// The file of a ledger, whatever it is.
enum PostingFile {
    private static let sqlite = Data("SQLite format 3\0".utf8)

    /// Opens the file at `path`.
    static func open(_ path: String) async throws -> any PostingSource {
        let data = try InputFile.read(path)
        guard data.starts(with: sqlite) else { return try JournalFile(path, data) }
        do { return SQLiteFile(reader: try await SQLiteLedgerReader(path)) } catch {
            throw InputError(error.description)
        }
    }
}

/// The file in which a ledger keeps its postings.
private struct SQLiteFile: PostingSource {
    let reader: SQLiteLedgerReader

    func read(_ body: (Posting) throws -> Void) async throws {
        do { try await reader.postings(body) } catch let error as StoreError {
            throw InputError(error.description)
        }
    }
}

/// Files that somebody else has written.
enum InputFile {
    /// The bytes of the file at `path`.
    static func read(_ path: String) throws -> Data {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw InputError("\(path): no such file")
        }
        guard !isFolder.boolValue else { throw InputError("\(path) is a folder") }
        do { return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
            throw InputError("\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
