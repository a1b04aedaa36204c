import Foundation
import Synchronization

/// How far a study has come, on standard error when that is a terminal.
final class Progress: Sendable {
    private let name: String
    private let count: Int
    private let done = Mutex(0)
    private let isShown = isatty(STDERR_FILENO) == 1

    init(_ name: String, of count: Int) {
        self.name = name
        self.count = count
    }

    func step() {
        guard isShown else { return }
        // Written under the lock, so that a later line never comes before an earlier one.
        done.withLock { done in
            done += 1
            write("\r\u{1B}[K\(name): \(done) of \(count) seeds")
        }
    }

    func clear() {
        if isShown { write("\r\u{1B}[K") }
    }

    /// A closed standard error is no reason to stop.
    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
