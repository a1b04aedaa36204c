import SpillwayCore
import Synchronization

/// How far a run has come.
final class Tally: Sendable {
    struct Counts: Sendable, Equatable {
        /// Different passages of the folder, and their tokens as estimated.
        var passages = 0
        /// Passages that had their vector, or their failure, before.
        var known = 0
        /// Passages that got their vector now.
        var embedded = 0
        /// Passages that the endpoint refused now.
        var failed = 0
        /// Tokens of passages to embed, as estimated.
        var tokensToDo = 0
        /// Tokens of those that are done, as estimated.
        var tokensDone = 0
        /// Tokens as the provider counted them.
        var tokens = 0
        /// Batches in a row that failed for the time being.
        var setbacks = 0
    }

    private struct State {
        var counts: Counts
        var succeeded: Instant
        /// Tokens done by the end of each step of a second, for the rate of late.
        var steps: [(at: Instant, tokens: Int)]
    }

    private let state: Mutex<State>
    let began: Instant

    init(_ counts: Counts, at now: Instant) {
        began = now
        state = Mutex(State(counts: counts, succeeded: now, steps: [(now, 0)]))
    }

    var counts: Counts { state.withLock { $0.counts } }

    /// Whether the endpoint has embedded anything.
    var hasSucceeded: Bool { counts.embedded > 0 }

    func embedded(_ passages: [Corpus.Pending], tokens: Int, at now: Instant) {
        note(passages, at: now) {
            $0.embedded += passages.count
            $0.tokens += tokens
        }
    }

    func failed(_ passage: Corpus.Pending, at now: Instant) { note([passage], at: now) { $0.failed += 1 } }

    /// Notes that a batch failed for the time being; returns how many did in a row, and for how long nothing has succeeded.
    func setBack(at now: Instant) -> (count: Int, since: Duration) {
        state.withLock { state in
            state.counts.setbacks += 1
            return (state.counts.setbacks, state.succeeded.duration(to: now))
        }
    }

    /// Tokens a second over the last half minute; nil until something is done.
    func rate(at now: Instant) -> Double? {
        state.withLock { state in
            let steps = state.steps
            let since = steps.first { $0.at.duration(to: now) <= .seconds(30) } ?? steps[steps.count - 1]
            let seconds = since.at.duration(to: now) / .seconds(1), tokens = state.counts.tokensDone - since.tokens
            return seconds > 0 && tokens > 0 ? Double(tokens) / seconds : nil
        }
    }

    private func note(_ passages: [Corpus.Pending], at now: Instant, _ change: (inout Counts) -> Void) {
        state.withLock { state in
            change(&state.counts)
            if let last = state.steps.last, last.at.duration(to: now) >= .seconds(1) {
                state.steps.append((now, state.counts.tokensDone))
                if state.steps.count > 60 { state.steps.removeFirst() }
            }
            state.counts.tokensDone += passages.reduce(0) { $0 + $1.tokens }
            state.counts.setbacks = 0
            state.succeeded = now
        }
    }
}
