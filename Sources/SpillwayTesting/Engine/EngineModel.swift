public import SpillwayCore

/// One inference engine as a pure state machine: a batch that changes at every step, in paged memory.
///
/// The engine runs steps. In a step, every request that decodes computes one token; what is left of the step's token
/// budget computes pieces of prompts (continuous batching, Orca, OSDI '22; chunked prefill, Sarathi-Serve, OSDI '24).
/// Keys and values live in blocks of one pool, taken as tokens are generated, shared by prompts with equal beginnings and
/// kept until the memory is needed (PagedAttention and automatic prefix caching, vLLM, SOSP '23). When no block is free,
/// the newest request in the batch gives its blocks back, goes to the head of the queue, and is computed again later.
///
/// How long a step takes follows from ``Configuration``: a roofline of compute and memory, plus fixed costs.
///
/// The model leaves out: network and tokenizer, parallelism over GPUs, swapping to the host, speculative decoding,
/// prefill and decode on separate machines, reuse of generated tokens, the quadratic part of attention (about an eighth of
/// the prefill of an 8,000-token prompt on a model of 8B), clocks that throttle, and noise. The presets are derived from
/// datasheets, not measured; they come within 12 % of six published figures for one GPU. Expect times within 30 % of a well
/// tuned engine at moderate contexts, and the right shape (where it saturates, what memory pressure does) beyond.
///
/// Time enters only as an argument; time that goes back stands still. The same calls give the same answers, whatever the
/// machine, and ``advance(to:)`` in one leap gives what many small ones give.
public struct EngineModel: Sendable {
    /// What the engine is and how fast.
    public let configuration: Configuration
    var now: Instant
    var pool: BlockPool
    /// The batch, in order of admission.
    var running: [EngineRequest] = []
    /// First come, first served; preempted requests stand before those that never ran.
    var waiting: [EngineRequest] = []
    /// The steps under way; nil while nothing can make progress.
    var run: StepRun?
    /// What became ready and was not handed out yet.
    var ready: [Progress] = []
    /// Steps since tokens were last handed out.
    var sinceReport = 0
    var counters = Load()
    /// What ``limitMemory(toBlocks:)`` leaves.
    private(set) var memoryLimit: Int
    private var lastID = 0
    private var pace = 1.0

    /// An idle engine with empty memory.
    ///
    /// - Parameters:
    ///   - configuration: What it is and how fast.
    ///   - start: The present, the clock's origin by default.
    public init(_ configuration: Configuration, at start: Instant = .zero) {
        self.configuration = configuration
        now = start
        memoryLimit = configuration.kvBlocks
        pool = BlockPool(size: configuration.kvBlocks)
    }

    /// Takes a request in and returns its id, which rises with every request.
    ///
    /// It joins the batch when the step under way ends and there is room.
    /// - Throws: `Refusal`; the engine is unchanged then.
    public mutating func submit(_ request: Request, at now: Instant) throws(Refusal) -> Int {
        catchUp(to: now)
        try check(request)
        lastID += 1
        waiting.append(EngineRequest(id: lastID, request))
        if waiting.count == 1, running.count < configuration.maxRunning { interrupt() }
        return lastID
    }

    /// Forgets a request and frees what it held at once; does nothing when it is unknown or done.
    public mutating func cancel(_ id: Int, at now: Instant) {
        catchUp(to: now)
        settle()
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
        } else if let index = running.firstIndex(where: { $0.id == id }) {
            pool.release(running.remove(at: index).blocks)
        } else {
            return
        }
        ready.removeAll { $0.id == id }
        interrupt()
    }

    /// Moves time forward to `now` and returns what became ready since the last call, in order of time.
    ///
    /// Requests that got tokens in the same step come in the order in which they joined the batch.
    public mutating func advance(to now: Instant) -> [Progress] {
        catchUp(to: now)
        defer { ready = [] }
        return ready
    }

    /// The next instant at which the engine has something to do, no later than the next progress.
    ///
    /// Nil while nothing runs. Moving time there and asking again leads from progress to progress.
    public var nextDue: Instant? { ready.first?.at ?? run?.end }

    /// The gauges and counters as of the last call.
    public var load: Load {
        var load = counters
        load.running = running.count
        load.waiting = waiting.count
        load.kvBlocksUsed = pool.used
        load.kvBlocksCached = pool.idle
        load.kvUsage = pool.capacity == 0 ? 1 : Double(pool.used) / Double(pool.capacity)
        return load
    }

    /// How many times slower than healthy the engine is; 1 by default, kept within 0.001 to 1,000,000.
    ///
    /// What is left of the step under way goes on at the new pace.
    public var slowdown: Double {
        get { pace }
        set {
            guard !newValue.isNaN else { return }
            interrupt()
            let old = pace
            pace = min(max(newValue, 0.001), 1_000_000)
            if run?.start == now { plan(at: now) } else { run?.rescale(by: pace / old, at: now) }
        }
    }

    /// Leaves the engine `blocks` KV blocks at most, as when another process takes GPU memory; nil gives all back.
    ///
    /// Takes effect when the step under way ends: cached blocks go first, then the newest requests are preempted. A request
    /// that does not fit any more waits, and all behind it, until memory comes back or it is cancelled.
    public mutating func limitMemory(toBlocks blocks: Int?) {
        memoryLimit = min(max(blocks ?? configuration.kvBlocks, 0), configuration.kvBlocks)
        interrupt()
    }

    /// Makes a request go silent once it has `tokens` tokens: it keeps its place and its blocks and gets no further.
    ///
    /// As a kernel or a sampler that hangs. Does nothing when the request is unknown or done.
    public mutating func hang(_ id: Int, afterTokens tokens: Int = 0) {
        change(id) { $0.hangsAfter = max(tokens, $0.generated) }
    }

    /// Ends what ``hang(_:afterTokens:)`` did.
    public mutating func resume(_ id: Int) {
        change(id) { $0.hangsAfter = nil }
    }

    /// Crashes the engine, which is at once back, idle and with empty memory, and returns the ids of the requests lost.
    ///
    /// Progress that was ready and not handed out is lost with them.
    public mutating func fail() -> [Int] {
        settle()
        let lost = (running + waiting).map(\.id).sorted()
        pool = BlockPool(size: memoryLimit)
        (running, waiting, run, sinceReport) = ([], [], nil, 0)
        ready.removeAll { progress in lost.contains(progress.id) }
        return lost
    }

    /// Whether a request is in the batch or in the queue.
    func holds(_ id: Int) -> Bool {
        running.contains { $0.id == id } || waiting.contains { $0.id == id }
    }

    private mutating func change(_ id: Int, _ body: (inout EngineRequest) -> Void) {
        settle()
        if let index = running.firstIndex(where: { $0.id == id }) {
            body(&running[index])
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            body(&waiting[index])
        }
        interrupt()
    }

    private func check(_ request: Request) throws(Refusal) {
        guard request.promptTokens >= 1, request.outputTokens >= 0 else { throw .malformed }
        let (tokens, overflow) = request.promptTokens.addingReportingOverflow(request.outputTokens)
        guard !overflow, tokens <= configuration.contextLimit else { throw .contextTooLong }
        // The last token that is generated is never read, so that it needs no memory.
        let stored = max(request.promptTokens, tokens - 1)
        let blocks = (stored - 1) / configuration.blockSize + 1
        guard blocks <= configuration.kvBlocks else { throw .tooLarge }
        guard blocks <= memoryLimit else { throw .outOfMemory }
        guard waiting.count < configuration.maxWaiting else { throw .queueFull }
    }
}
