import Foundation

/// Writes to standard error.
enum Terminal {
    private static let isInteractive = isatty(STDERR_FILENO) == 1

    /// Shows the progress, over the last one on a terminal and as a line of its own elsewhere.
    @Sendable static func progress(_ text: String) {
        write(isInteractive ? "\r\u{1B}[K\(text)" : "\(text)\n")
    }

    /// Writes a line that stays.
    static func note(_ text: String) {
        write(isInteractive ? "\r\u{1B}[K\(text)\n" : "\(text)\n")
    }

    /// Writes without a buffer; a closed standard error is no reason to stop a run.
    private static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
