import Dispatch
import Foundation

/// Runs `body` and cancels it at the first SIGINT or SIGTERM; a second one ends the process as if nothing caught it.
func withInterrupts<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let work = Task { try await body() }
    let sources = [SIGINT, SIGTERM].map { number in
        // The default handler would end the process before the source is told.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler {
            work.cancel()
            signal(number, SIG_DFL)
        }
        source.resume()
        return source
    }
    defer {
        sources.forEach { $0.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
    return try await work.value
}
