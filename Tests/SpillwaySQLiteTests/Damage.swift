#if SQLiteSupport
import Foundation
import GRDB

/// Changes a file behind the back of the store.
enum Damage {
    static func run(_ sql: String, _ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.inDatabase { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// The one text that `sql` finds.
    static func row(_ sql: String, _ path: String) throws -> String? {
        try DatabaseQueue(path: path).read { try String.fetchOne($0, sql: sql) }
    }
}

/// Makes files that nobody may write, not even root.
enum Immutable {
    /// False where that cannot be.
    static func set(_ path: String) throws -> Bool {
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: path)
        if access(path, W_OK) != 0 { return true }
        return change("+i", path) && open(path, O_WRONLY) < 0
    }

    static func unset(_ path: String) { _ = change("-i", path) }

    private static func change(_ flag: String, _ path: String) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/chattr")
        process.arguments = [flag, path]
        (process.standardError, process.standardOutput) = (FileHandle.nullDevice, FileHandle.nullDevice)
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
#endif
