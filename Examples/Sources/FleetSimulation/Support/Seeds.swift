import Foundation
import Synchronization

/// Runs one seed beside another.
enum Seeds {
    /// What `body` makes of each seed, in the order of the seeds, computed on all cores.
    static func map<Result: Sendable>(
        _ seeds: Range<UInt64>, _ name: String, _ body: @escaping @Sendable (UInt64) throws -> Result
    ) async throws -> [Result] {
        let progress = Progress(name, of: seeds.count)
        defer { progress.clear() }
        return try await withThrowingTaskGroup(of: (UInt64, Result).self) { group in
            for seed in seeds {
                group.addTask {
                    defer { progress.step() }
                    return (seed, try body(seed))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// How far a study has come, on standard error when that is a terminal.
private final class Progress: Sendable {
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
