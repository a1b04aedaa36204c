import Foundation

@testable import LedgerTool

/// A folder that is gone when the test is over.
final class Folder {
    private let url = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes `text` into a file, and says where it is.
    func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
        return path(name)
    }
}

/// What the tool answers to arguments.
func answer(_ arguments: String...) async throws -> String {
    let command = try LedgerTool.parseAsRoot(arguments)
    guard let command = command as? any TextCommand else { return "no text" }
    return try await command.text()
}

/// What the tool complains of, and its exit code; nil when it does not.
func complaint(_ arguments: String...) async -> (text: String, code: Int32)? {
    do {
        let command = try LedgerTool.parseAsRoot(arguments)
        _ = try await (command as? any TextCommand)?.text()
        return nil
    } catch {
        return LedgerTool.complaint(about: error).map { ($0, LedgerTool.exitCode(for: error).rawValue) }
    }
}
