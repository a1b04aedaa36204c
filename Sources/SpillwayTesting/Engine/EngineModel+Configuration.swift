public import SpillwayCore

extension EngineModel {
    /// What an engine is and how fast: a memory, a batch, a queue, and what a step costs.
    ///
    /// A step that computes `t` tokens for `n` requests, reading the keys and values of `c` tokens, takes
    ///
    ///     stepOverhead + n × sequenceOverhead + max(t × computeTime, weightsReadTime + c × contextReadTime)
    ///
    /// which is the roofline (Williams et al., CACM 2009) plus what the host does. All of it can be given, or be derived
    /// from a ``GPUClass`` and a ``ModelShape``.
    public struct Configuration: Sendable, Hashable {
        /// KV blocks in the pool.
        public let kvBlocks: Int
        /// Tokens in a KV block.
        public let blockSize: Int
        /// Requests in the batch at most.
        public let maxRunning: Int
        /// Requests in the queue at most.
        public let maxWaiting: Int
        /// Tokens of prompt and output together at most.
        public let contextLimit: Int
        /// Tokens computed in one step at most; a longer prompt is read in several.
        public let tokenBudget: Int
        /// Tokens of a request handed out at once, after its first.
        ///
        /// The more, the fewer events; it changes no finish time.
        public let tokensPerChunk: Int
        /// What a step costs whatever its batch.
        public let stepOverhead: Duration
        /// What each request adds to a step: scheduling and sampling.
        public let sequenceOverhead: Duration
        /// Compute for one token.
        public let computeTime: Duration
        /// Reading the weights once.
        public let weightsReadTime: Duration
        /// Reading the keys and values of one token.
        public let contextReadTime: Duration
        let rates: Rates

        /// An engine with every number given.
        ///
        /// - Parameters:
        ///   - kvBlocks: KV blocks, 1 to 10 million.
        ///   - blockSize: Tokens in a block, 16 by default.
        ///   - maxRunning: Requests in the batch, 256 by default.
        ///   - maxWaiting: Requests in the queue, 1,000 by default.
        ///   - contextLimit: Tokens of prompt and output; what the pool holds by default, and no more than that.
        ///   - tokenBudget: Tokens of a step, 2,048 by default; at least `maxRunning`.
        ///   - tokensPerChunk: Tokens handed out at once, 8 by default.
        ///   - stepOverhead: None by default. All times are 0 to an hour, and a step of one token must take time.
        ///   - sequenceOverhead: None by default.
        ///   - computeTime: For one token.
        ///   - weightsReadTime: For all weights.
        ///   - contextReadTime: For one token's keys and values; none by default.
        /// - Throws: `ConfigurationError` for a value outside these ranges.
        public init(
            kvBlocks: Int, blockSize: Int = 16, maxRunning: Int = 256, maxWaiting: Int = 1_000,
            contextLimit: Int? = nil, tokenBudget: Int = 2_048, tokensPerChunk: Int = 8,
            stepOverhead: Duration = .zero, sequenceOverhead: Duration = .zero, computeTime: Duration,
            weightsReadTime: Duration, contextReadTime: Duration = .zero
        ) throws(ConfigurationError) {
            let valid = Validation("EngineModel")
            try valid.count(kvBlocks, "kvBlocks", in: 1...10_000_000)
            try valid.count(blockSize, "blockSize", in: 1...65_536)
            try valid.count(maxRunning, "maxRunning", in: 1...65_536)
            try valid.count(maxWaiting, "maxWaiting", in: 1...1_000_000_000)
            try valid.count(tokenBudget, "tokenBudget", in: maxRunning...1_000_000_000)
            try valid.count(tokensPerChunk, "tokensPerChunk", in: 1...65_536)
            let contextLimit = contextLimit ?? kvBlocks * blockSize
            try valid.count(contextLimit, "contextLimit", in: 1...(kvBlocks * blockSize))
            for (field, time) in [
                ("stepOverhead", stepOverhead), ("sequenceOverhead", sequenceOverhead), ("computeTime", computeTime),
                ("weightsReadTime", weightsReadTime), ("contextReadTime", contextReadTime),
            ] {
                try valid.require(time >= .zero && time <= .seconds(3600), field, time, "from 0 to an hour")
            }
            self.kvBlocks = kvBlocks
            self.blockSize = blockSize
            self.maxRunning = maxRunning
            self.maxWaiting = maxWaiting
            self.contextLimit = contextLimit
            self.tokenBudget = tokenBudget
            self.tokensPerChunk = tokensPerChunk
            self.stepOverhead = stepOverhead
            self.sequenceOverhead = sequenceOverhead
            self.computeTime = computeTime
            self.weightsReadTime = weightsReadTime
            self.contextReadTime = contextReadTime
            rates = Rates(
                step: stepOverhead.nanoseconds, sequence: sequenceOverhead.nanoseconds,
                compute: computeTime.nanoseconds, weights: weightsReadTime.nanoseconds,
                context: contextReadTime.nanoseconds)
            let least = rates.step + rates.sequence + max(rates.compute, rates.weights)
            try valid.require(least >= 1, "a step of one token", "\(least) ns", "1 ns or more")
        }

        /// The times in nanoseconds.
        struct Rates: Sendable, Hashable {
            let step, sequence, compute, weights, context: Double
        }
    }
}

extension Duration {
    /// The duration in nanoseconds with their fraction.
    fileprivate var nanoseconds: Double {
        Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9
    }
}
