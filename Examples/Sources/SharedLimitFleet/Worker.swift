import Foundation

/// A process that spends, as its parent sees it.
final class Worker: @unchecked Sendable {
    /// What it had spent when.
    struct Line {
        let at: Int64
        let spent: Int64
        /// The most units that it ever had in hand.
        let peak: Int64
    }

    private let process = Process()
    private let output = Pipe()
    /// Reads all that the process says: on a thread of its own, for it blocks.
    private let reader = DispatchQueue(label: "worker")
    private var text = ""

    init(_ arguments: [String]) throws {
        process.executableURL = try Self.program()
        process.arguments = ["work"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        reader.async {
            self.text = String(decoding: self.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
    }

    /// Ends it at once, as a crash would.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks it to end, and waits for that.
    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    /// All that it said, when it has ended.
    func lines() async -> [Line] {
        let text = await withCheckedContinuation { continuation in
            reader.async { continuation.resume(returning: self.text) }
        }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").compactMap { Int64($0) }
            return words.count == 3 ? Line(at: words[0], spent: words[1], peak: words[2]) : nil
        }
    }

    /// This program, or the one beside a test that has it in itself.
    private static func program() throws -> URL {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        if own.lastPathComponent == "SharedLimitFleet" { return own }
        // A test runs in the folder of what was built, or in a bundle there.
        let folders = [Bundle.main.bundleURL, Bundle(for: Worker.self).bundleURL.deletingLastPathComponent()]
        let places = folders.map { $0.appendingPathComponent("SharedLimitFleet") }
        return places.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? own
    }
}

extension [Worker.Line] {
    /// What had been spent at `moment`.
    func spent(by moment: Int64) -> Int64 { last { $0.at <= moment }?.spent ?? 0 }
}
