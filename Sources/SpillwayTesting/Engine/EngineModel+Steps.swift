import SpillwayCore

extension EngineModel {
    /// Moves time forward, doing all that is due until then.
    mutating func catchUp(to time: Instant) {
        now = max(now, time)
        while let run, run.end <= now {
            finish(run)
            plan(at: run.end)
        }
    }

    /// Books the steps that are over, so that what has been computed is exact.
    mutating func settle() {
        if let done = run?.split(at: now) { finish(done) }
    }

    /// Lets what changed take effect as soon as the step under way ends; at once when none is.
    mutating func interrupt() {
        settle()
        if run == nil || run?.start == now { plan(at: now) } else { run?.cut() }
    }

    /// Decides the next steps: who is in the batch and how many tokens each of them computes.
    mutating func plan(at start: Instant) {
        run = nil
        pool.capacity = memoryLimit
        pool.trim()
        var preempted = false
        while let newest = running.last, pool.available < blocksLacking(for: 1) {
            preempt(newest)
            preempted = true
        }
        var budget = configuration.tokenBudget
        for index in running.indices {
            running[index].chunk = running[index].isDecoding && !running[index].isHung ? 1 : 0
            budget -= running[index].chunk
        }
        for index in running.indices where !running[index].isDecoding && !running[index].isHung {
            running[index].chunk = min(running[index].pending, budget)
            budget -= running[index].chunk
        }
        // What has just been taken from the newest is not given to the next before a step, unless nothing else would run.
        while budget > 0, !preempted || budget == configuration.tokenBudget, admit(&budget) {}
        run = makeRun(at: start, steps: preempted ? 1 : configuration.tokensPerChunk - sinceReport)
    }

    /// Blocks that the decoding requests lack for the next `steps` steps.
    private func blocksLacking(for steps: Int) -> Int {
        running.reduce(0) { sum, each in
            guard each.isDecoding, !each.isHung else { return sum }
            return sum + each.blocksLacking(for: steps, blockSize: configuration.blockSize)
        }
    }

    /// Takes a request's blocks and puts it at the head of the queue, to be computed again.
    private mutating func preempt(_ request: EngineRequest) {
        running.removeLast()
        pool.release(request.blocks)
        var request = request
        (request.blocks, request.computed, request.chunk, request.wasPreempted) = ([], 0, 0, true)
        waiting.insert(request, at: 0)
        counters.preemptions += 1
    }

    /// Lets the first in the queue join the batch, if there is room for its whole prompt.
    private mutating func admit(_ budget: inout Int) -> Bool {
        guard running.count < configuration.maxRunning, var next = waiting.first else { return false }
        let size = configuration.blockSize
        let match = pool.match(next.hashes(within: next.pending - 1, blockSize: size))
        let needed = (next.pending - 1) / size + 1 - match.hits + match.idle
        // A hundredth of the memory stays free for the requests that run, against a batch that preempts all the time: the
        // watermark of vLLM.
        let reserve = running.isEmpty ? 0 : max(1, pool.capacity / 100) + blocksLacking(for: 1)
        guard needed + reserve <= pool.available else { return false }
        waiting.removeFirst()
        if !next.wasPreempted {
            counters.prefixQueries += next.request.promptTokens
            counters.prefixHits += match.hits * size
            next.cached = match.hits * size
        }
        next.computed = match.hits * size
        next.blocks = next.request.promptBlocks.prefix(match.hits).compactMap { pool.share($0) }
        next.grow(by: next.pending, from: &pool, blockSize: size)
        next.chunk = next.isHung ? 0 : min(next.pending, budget)
        budget -= next.chunk
        running.append(next)
        return true
    }

    /// The steps until something changes, `most` at most: one while prompts are read.
    private func makeRun(at start: Instant, steps most: Int) -> StepRun? {
        var (tokens, sequences, context) = (0, 0, 0)
        var steps = most
        for each in running where each.chunk > 0 {
            tokens += each.chunk
            sequences += 1
            context += each.computed + each.chunk
            steps = each.isDecoding ? min(steps, each.stepsLeft) : 1
        }
        guard tokens > 0 else { return nil }
        while steps > 1, blocksLacking(for: steps) > pool.available { steps -= 1 }
        let rates = configuration.rates
        let cost = StepCost(
            fixed: rates.step + Double(sequences) * rates.sequence, compute: Double(tokens) * rates.compute,
            context: context, growth: sequences, weightsRead: rates.weights, contextRead: rates.context, pace: slowdown)
        return StepRun(start: start, steps: steps, cost: cost)
    }

    /// Books what a run has computed and notes what became ready.
    private mutating func finish(_ run: StepRun) {
        let hadOutput = running.contains { $0.generated > 0 }
        var done = false
        for index in running.indices where running[index].chunk > 0 && !running[index].isHung {
            let before = (computed: running[index].computed, generated: running[index].generated)
            running[index].compute(steps: run.steps, from: &pool, blockSize: configuration.blockSize)
            counters.tokensComputed += running[index].computed - before.computed
            counters.tokensGenerated += running[index].generated - before.generated
            done = done || running[index].isDone
        }
        sinceReport = hadOutput ? sinceReport + run.steps : 0
        let inTurn = sinceReport >= configuration.tokensPerChunk
        if inTurn { sinceReport = 0 }
        for index in running.indices where running[index].owesReport(inTurn: inTurn) {
            let each = running[index]
            ready.append(
                Progress(
                    id: each.id, tokens: each.generated - each.reported, at: run.end, isLast: each.isDone,
                    cachedTokens: each.cached))
            running[index].reported = each.generated
        }
        guard done else { return }
        for each in running where each.isDone { pool.release(each.blocks) }
        running.removeAll(where: \.isDone)
    }
}
