import SpillwayCore

@testable import SpillwayTesting

/// Milliseconds after the clock's origin.
func ms(_ milliseconds: Double) -> Instant { Instant(nanoseconds: Int64((milliseconds * 1e6).rounded())) }

/// An engine of round numbers: prompts at 1,000 tokens/s, steps of 10 ms and 1 ms for each request.
func makeConfiguration(
    kvBlocks: Int = 1_000, maxRunning: Int = 4, maxWaiting: Int = 1_000, contextLimit: Int? = nil,
    tokenBudget: Int = 100, tokensPerChunk: Int = 8, contextReadTime: Duration = .zero
) throws -> EngineModel.Configuration {
    try EngineModel.Configuration(
        kvBlocks: kvBlocks, maxRunning: maxRunning, maxWaiting: maxWaiting, contextLimit: contextLimit,
        tokenBudget: tokenBudget, tokensPerChunk: tokensPerChunk, sequenceOverhead: .milliseconds(1),
        computeTime: .milliseconds(1), weightsReadTime: .milliseconds(10), contextReadTime: contextReadTime)
}

extension EngineModel {
    /// Follows the engine from instant to instant until nothing is due, or `limit` instants have passed.
    mutating func runToEnd(limit: Int = 1_000_000) -> [Progress] {
        var all: [Progress] = []
        for _ in 0..<limit {
            guard let due = nextDue else { break }
            all += advance(to: due)
        }
        return all
    }

    /// What is wrong with the engine's books; nil when nothing is.
    var fault: String? {
        let held = Set(running.flatMap(\.blocks)).count
        if held != pool.used { return "\(held) blocks are held, \(pool.used) counted" }
        if pool.used > configuration.kvBlocks { return "\(pool.used) blocks of \(configuration.kvBlocks) used" }
        if pool.used + pool.idle > configuration.kvBlocks { return "\(pool.idle) blocks idle beside \(pool.used)" }
        if running.count > configuration.maxRunning { return "\(running.count) requests run" }
        if waiting.contains(where: { !$0.blocks.isEmpty }) { return "a request that waits holds blocks" }
        if running.map(\.id) != running.map(\.id).sorted() { return "the batch is out of order" }
        return nil
    }
}

/// Hashes of `count` blocks of a prompt of the family `family`; prompts of one family begin alike.
func blocks(_ count: Int, family: UInt64) -> [UInt64] { (0..<UInt64(count)).map { family << 32 | $0 } }
