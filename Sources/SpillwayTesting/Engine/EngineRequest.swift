/// A request inside an engine, and how far it has come.
struct EngineRequest: Sendable {
    let id: Int
    let request: EngineModel.Request
    /// Tokens generated so far.
    var generated = 0
    /// Those of them that were handed out.
    var reported = 0
    /// Tokens whose keys and values are in memory.
    var computed = 0
    var blocks: [Int32] = []
    /// Tokens it computes in each step under way; 0 when it sits them out.
    var chunk = 0
    /// The number of generated tokens after which it goes silent.
    var hangsAfter: Int?
    var wasPreempted = false
    /// Tokens of the prompt that were in memory when it first joined the batch.
    var cached = 0

    init(id: Int, _ request: EngineModel.Request) {
        self.id = id
        self.request = request
    }

    /// Tokens to compute before the next one can be generated.
    ///
    /// At least 1 until it is done: the last known token is always computed, for its output is the next one.
    var pending: Int { request.promptTokens + generated - computed }
    var isDecoding: Bool { generated > 0 && pending == 1 }
    var isHung: Bool { hangsAfter.map { generated >= $0 } ?? false }

    var isDone: Bool { request.outputTokens == 0 ? pending == 0 : generated >= request.outputTokens }

    /// Whether something is to be handed out: the first token, the last one, all in turn, or what comes before silence.
    func owesReport(inTurn: Bool) -> Bool {
        isDone || generated > reported && (inTurn || reported == 0 || isHung)
    }

    /// Steps that it can decode before it is done or goes silent.
    var stepsLeft: Int { max(1, min(request.outputTokens, hangsAfter ?? .max) - generated) }

    /// The blocks that it lacks for `tokens` more tokens.
    func blocksLacking(for tokens: Int, blockSize: Int) -> Int {
        max(0, (computed + tokens - 1) / blockSize + 1 - blocks.count)
    }

    /// The hashes of its whole prompt blocks that end within the first `tokens` tokens.
    func hashes(within tokens: Int, blockSize: Int) -> ArraySlice<UInt64> {
        request.promptBlocks.prefix(min(tokens, request.promptTokens) / blockSize)
    }

    /// Takes the blocks that it lacks for `tokens` more tokens; whoever asks knows that they are there.
    mutating func grow(by tokens: Int, from pool: inout BlockPool, blockSize: Int) {
        for _ in 0..<blocksLacking(for: tokens, blockSize: blockSize) {
            guard let block = pool.take() else { return assertionFailure("more blocks promised than there are") }
            blocks.append(block)
        }
    }

    /// Computes what it was given in `steps` steps: its next tokens, or a piece of its prompt.
    mutating func compute(steps: Int, from pool: inout BlockPool, blockSize: Int) {
        let steps = isDecoding ? min(steps, stepsLeft) : 1
        let before = computed
        if isDecoding { grow(by: steps, from: &pool, blockSize: blockSize) }
        computed += isDecoding ? steps : chunk
        let whole = hashes(within: computed, blockSize: blockSize)
        for index in before / blockSize..<max(before / blockSize, whole.endIndex) {
            pool.cache(blocks[index], as: whole[index])
        }
        if pending <= 0, request.outputTokens > 0 { generated += steps }
    }
}
