import Foundation
import SpillwayCore

/// Writes to standard error: a bar that moves on a terminal, a line every few seconds elsewhere.
struct Terminal: Sendable {
    let isInteractive: Bool
    /// Between two lines where it is not a terminal.
    let interval: Duration
    /// Writes without a buffer.
    let write: @Sendable (String) -> Void

    init(
        isInteractive: Bool = isatty(STDERR_FILENO) == 1, interval: Duration,
        // A closed standard error is no reason to stop a run.
        write: @escaping @Sendable (String) -> Void = {
            try? FileHandle.standardError.write(contentsOf: Data($0.utf8))
        }
    ) {
        self.isInteractive = isInteractive
        self.interval = interval
        self.write = write
    }

    /// Writes a line that stays.
    func note(_ text: String) { write("\(isInteractive ? Self.clear : "")\(text)\n") }

    /// Shows how a run stands, again and again until the task is cancelled, and a last time then.
    func show(_ source: ProgressSource, time: any TimeSource = .system) async {
        let pause = isInteractive ? .milliseconds(200) : interval
        var isLast = false
        while !isLast {
            try? await time.sleep(for: pause)
            isLast = Task.isCancelled
            let line = source.line(at: time.now)
            if isInteractive {
                write(Self.clear + line.text(width: Self.columns) + (isLast ? "\n" : ""))
            } else {
                note(line.text(width: 0))
            }
        }
    }

    private static let clear = "\r\u{1B}[K"

    /// How wide the terminal is.
    private static var columns: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
