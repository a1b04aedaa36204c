import Foundation

/// Everything a run writes down; all times are in trace seconds unless a name says otherwise.
struct RunResult: Codable, Sendable, Equatable {
    /// What was asked for.
    struct Settings: Codable, Sendable, Equatable {
        let label: String
        /// The trace's file name.
        let trace: String
        /// Trace seconds that pass in one real second.
        let speed: Double
        let seed: UInt64
        /// The time to first token that users are content with, in milliseconds.
        let sloTTFTMs: Double
        /// How long a user waits for the whole answer.
        let clientTimeout: Double
    }

    /// The counts of one phase, or of the whole run.
    struct Summary: Codable, Sendable, Equatable {
        let requests: Int
        let good: Int
        /// Ended as if all were well, but were not whole; never good.
        let truncated: Int
        /// Good ones whose first token came within the target.
        let withinSLO: Int
        /// Failures by kind, such as `http-503` or `timeout`; the truncated ones are not among them.
        let errors: [String: Int]
        /// Times to first token of the good requests.
        let ttft: Percentiles
        /// Generation calls that reached the replicas.
        let upstreamCalls: Int

        /// Calls that gave no user a good answer: `upstreamCalls − good`, but never below 0.
        ///
        /// The fleet files a call under the phase in which it arrived, Replay a request under the phase in which it
        /// was due. A call that crosses the boundary would leave the earlier phase with more good answers than
        /// calls, and that is no negative waste.
        var wasted: Int { max(0, upstreamCalls - good) }
        /// Requests that were not good, the truncated ones included.
        var bad: Int { requests - good }
    }

    /// One value for each second of the trace; a request counts in the second of its arrival.
    struct Timeline: Codable, Sendable, Equatable {
        /// Seconds that a timeline's percentile looks back over, its own included: one has too few requests.
        static let window = 5

        let arrivals: [Int]
        let good: [Int]
        /// All that were not good, the truncated ones included.
        let failed: [Int]
        let ttftP50: [Double?]
        let ttftP95: [Double?]
    }

    /// A look at the fleet's counter in the middle of the run; the numbers are sums from the start on.
    struct CallSample: Codable, Sendable, Equatable {
        let at: Double
        let calls: Int
        /// Requests that had arrived before `at` and got a good answer, then or later.
        let good: Int
        /// `calls − good`, but never below 0.
        let wasted: Int
    }

    /// The layout's version, so that a later Replay can tell.
    var format = RunResult.currentFormat
    let settings: Settings
    let script: FaultScript
    let phases: [Phase: Summary]
    let total: Summary
    let timeline: Timeline
    let calls: [CallSample]
    /// The latest that a request was sent after it was due.
    let maxSendLag: Double
    /// What the replicas worked on; nil when the fleet did not say, and in results of older Replays.
    let work: Work?

    static let currentFormat = 1

    /// Reads a result file; throws `InputError` naming the file and the field.
    static func read(path: String) throws -> RunResult {
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let result = try JSONDecoder().decode(RunResult.self, from: data)
            guard result.format == currentFormat else {
                throw InputError("format: \(result.format) is not \(currentFormat)")
            }
            guard result.script.phases.during.count == 2 else {
                throw InputError("script.phases.during: \(result.script.phases.during) is not [start, end]")
            }
            try result.work?.check()
            return result
        } catch let error as CocoaError {
            throw InputError("\(path): \(error.localizedDescription)")
        } catch {
            throw InputError(error, in: path)
        }
    }

    /// Writes the result file, replacing an older one whole.
    func write(path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
