/// A continuously batching inference engine as a pure state machine over simulated seconds.
///
/// Time enters only through ``advance(to:)``: call it first, hand out the chunks it returns, then submit or cancel.
/// A request holds a slot and its KV blocks from admission to its last token. Its first chunk is due when the prefill
/// ends; every later chunk takes its tokens at the decode rate, which falls as the batch grows.
struct Engine: Sendable {
    /// The size and speed of an engine; rates in tokens per simulated second.
    struct Settings: Sendable {
        var slots = 16
        var prefillRate = 6000.0
        var decodeRate = 60.0
        var kvBlocks = 4096
        var blockSize = 16
        var tokensPerChunk = 8
        var maxQueue = 256
    }

    /// What one request asks of the engine.
    struct Job: Sendable {
        var promptTokens: Int
        /// Chained hashes of the prompt's whole blocks.
        var promptBlocks: [UInt64] = []
        /// Tokens to generate; 0 for a request that ends with its prefill (an embedding).
        var maxTokens: Int
        /// Simulated seconds added before the first chunk.
        var firstTokenDelay = 0.0
        /// Chunks after which the request goes silent, keeping its slot until it is cancelled; `nil` never.
        var haltAfterChunks: Int?
    }

    /// Tokens that became ready for one request.
    struct Chunk: Sendable, Equatable {
        let id: Int
        let tokens: Int
        let isLast: Bool
    }

    /// The gauges and counters that `/metrics` publishes.
    struct Load: Sendable, Equatable {
        var running = 0
        var waiting = 0
        var kvUsage = 0.0
        var prefixQueries = 0
        var prefixHits = 0
    }

    private enum Stage {
        /// Reads its prompt until this simulated second.
        case prefilling(until: Double)
        /// Its next chunk is ready when `decoded` reaches this value.
        case decoding(until: Double)
        case halted
    }

    private struct Running {
        let id: Int
        let job: Job
        var stage: Stage
        var tokens = 0
        var chunks = 0
    }

    let settings: Settings
    private var now = 0.0
    /// Tokens that a request decoding since second 0 would have: the clock by which chunks fall due, so that a change of
    /// the decode rate moves no stored deadline.
    private var decoded = 0.0
    private var running: [Running] = []
    private var waiting: [(id: Int, job: Job)] = []
    private var usedBlocks = 0
    private var lastID = 0
    private var cache: PrefixCache
    private var prefixQueries = 0
    private var prefixHits = 0

    /// An idle engine at second 0.
    init(_ settings: Settings) {
        self.settings = settings
        cache = PrefixCache(capacity: settings.kvBlocks)
    }

    /// The current gauges and counters.
    var load: Load {
        Load(
            running: running.count,
            waiting: waiting.count,
            kvUsage: Double(usedBlocks) / Double(settings.kvBlocks),
            prefixQueries: prefixQueries,
            prefixHits: prefixHits
        )
    }

    /// The simulated second of the next chunk; `nil` while nothing makes progress.
    var nextDue: Double? {
        nextStep?.due
    }

    /// Moves time forward to `time`, in simulated seconds, and returns the chunks that became ready, in order.
    mutating func advance(to time: Double) -> [Chunk] {
        var chunks: [Chunk] = []
        while let next = nextStep, next.due <= time {
            move(to: next.due)
            chunks.append(step(next.index))
        }
        move(to: time)
        return chunks
    }

    /// Takes a job in at the current time and returns its id; `nil` when the queue is full.
    mutating func submit(_ job: Job) -> Int? {
        lastID += 1
        waiting.append((lastID, job))
        admit()
        if waiting.count > settings.maxQueue {
            waiting.removeLast()
            return nil
        }
        return lastID
    }

    /// Forgets a request and frees what it held at once; does nothing when the request is unknown or done.
    mutating func cancel(_ id: Int) {
        waiting.removeAll { $0.id == id }
        if let index = running.firstIndex(where: { $0.id == id }) {
            release(index)
        }
        admit()
    }

    /// Tokens per second of each decoding request: a fuller batch decodes each of its requests more slowly.
    private var tokenRate: Double {
        settings.decodeRate / (1 + Double(running.count) / Double(settings.slots))
    }

    private var nextStep: (due: Double, index: Int)? {
        running.indices
            .compactMap { index -> (due: Double, index: Int)? in
                switch running[index].stage {
                case .prefilling(let end): return (max(end, now), index)
                case .decoding(let mark): return (now + max(0, mark - decoded) / tokenRate, index)
                case .halted: return nil
                }
            }
            .min { $0.due < $1.due }
    }

    private mutating func move(to time: Double) {
        guard time > now else { return }
        decoded += (time - now) * tokenRate
        now = time
    }

    /// Produces the due chunk of a running request and sets what it does next.
    private mutating func step(_ index: Int) -> Chunk {
        let job = running[index].job
        if case .prefilling = running[index].stage {
            cache.use(job.promptBlocks)
        }
        let tokens = min(settings.tokensPerChunk, job.maxTokens - running[index].tokens)
        running[index].tokens += tokens
        running[index].chunks += 1
        let left = job.maxTokens - running[index].tokens
        let id = running[index].id
        let halts = running[index].chunks == job.haltAfterChunks
        if halts {
            running[index].stage = .halted
        } else if left > 0 {
            running[index].stage = .decoding(until: decoded + Double(min(settings.tokensPerChunk, left)))
        } else {
            release(index)
            admit()
        }
        return Chunk(id: id, tokens: tokens, isLast: left == 0 && !halts)
    }

    /// Starts waiting requests in order of arrival; the first that finds no slot or blocks holds up those behind it.
    private mutating func admit() {
        while let next = waiting.first, running.count < settings.slots,
            usedBlocks + blocks(next.job) <= settings.kvBlocks
        {
            waiting.removeFirst()
            usedBlocks += blocks(next.job)
            let job = next.job
            let cached = min(cache.matchingPrefix(of: job.promptBlocks) * settings.blockSize, job.promptTokens)
            prefixQueries += job.promptTokens
            prefixHits += cached
            // The last prompt token is always computed: its output is the first generated token.
            let prefill = Double(max(1, job.promptTokens - cached)) / settings.prefillRate
            let stage: Stage =
                job.haltAfterChunks == 0 ? .halted : .prefilling(until: now + prefill + job.firstTokenDelay)
            running.append(Running(id: next.id, job: job, stage: stage))
        }
    }

    private mutating func release(_ index: Int) {
        usedBlocks -= blocks(running[index].job)
        running.remove(at: index)
    }

    private func blocks(_ job: Job) -> Int {
        (job.promptTokens + job.maxTokens + settings.blockSize - 1) / settings.blockSize
    }
}
