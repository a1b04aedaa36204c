import Dispatch
import Foundation

/// The user or the system asked Replay to stop.
struct Interrupted: Error {
    /// SIGINT or SIGTERM.
    let signal: Int32
}

/// Runs `body` and cancels it at the first SIGINT or SIGTERM; throws `Interrupted` then.
///
/// A second signal ends the process as if nothing caught it.
func withInterrupts<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
    let sources = [SIGINT, SIGTERM].map { number in
        // The default handler would end the process before the source is told.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler {
            continuation.yield(number)
            signal(number, SIG_DFL)
        }
        source.resume()
        return source
    }
    defer {
        sources.forEach { $0.cancel() }
        // From here on a signal ends the process at once again.
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await number in signals { throw Interrupted(signal: number) }
            return nil
        }
        defer { group.cancelAll() }
        while let value = try await group.next() {
            if let value { return value }
        }
        throw CancellationError()
    }
}
