import Foundation
import Synchronization

/// Computes something for each seed on threads of its own, so that the process's tasks are not held up for seconds.
final class SeedWork<Result: Sendable>: Sendable {
    private struct State {
        var next: UInt64
        var results: [UInt64: Result] = [:]
        var failure: (any Error)?
        var running = 0
        var whenDone: CheckedContinuation<Void, Never>?
    }

    private let seeds: Range<UInt64>
    private let body: @Sendable (UInt64) throws -> Result
    private let state: Mutex<State>

    init(_ seeds: Range<UInt64>, _ body: @escaping @Sendable (UInt64) throws -> Result) {
        self.seeds = seeds
        self.body = body
        state = Mutex(State(next: seeds.lowerBound))
    }

    /// The results in the order of the seeds.
    ///
    /// - Throws: The first error of any seed; `CancellationError`.
    func run() async throws -> [Result] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let threads = max(1, ProcessInfo.processInfo.activeProcessorCount)
                state.withLock { state in
                    state.running = threads
                    state.whenDone = continuation
                }
                for _ in 0..<threads {
                    let thread = Thread { self.work() }
                    thread.stackSize = 8 << 20
                    thread.start()
                }
            }
        } onCancel: {
            state.withLock { $0.failure = $0.failure ?? CancellationError() }
        }
        let (results, failure) = state.withLock { ($0.results, $0.failure) }
        if let failure { throw failure }
        return results.sorted { $0.key < $1.key }.map(\.value)
    }

    private func work() {
        while let seed = take() {
            do {
                let result = try body(seed)
                state.withLock { $0.results[seed] = result }
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
        let done = state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.whenDone.take() : nil
        }
        done?.resume()
    }

    private func take() -> UInt64? {
        state.withLock { state in
            guard state.failure == nil, state.next < seeds.upperBound else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
