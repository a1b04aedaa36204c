/// Hands passages out in batches, each bounded in number and tokens, and takes back what must be asked for again.
actor BatchLine {
    /// The texts of one request.
    typealias Batch = [Corpus.Pending]

    private let mostPassages: Int
    private let mostTokens: Int
    private var pending: ArraySlice<Corpus.Pending>
    private var returned: [Batch] = []
    /// Batches that are out.
    private var out = 0
    private var waiters: [CheckedContinuation<Void, Never>] = []
    /// Why nothing more is handed out; nil: there is no reason.
    private(set) var ending: Ending?

    init(_ pending: [Corpus.Pending], mostPassages: Int, mostTokens: Int) {
        self.pending = pending[...]
        self.mostPassages = mostPassages
        self.mostTokens = mostTokens
    }

    /// The next batch; nil when all are done, or it has been stopped.
    ///
    /// Waits while others may give something back.
    func next() async -> Batch? {
        while ending == nil {
            if let batch = returned.popLast() ?? make() {
                out += 1
                return batch
            }
            if out == 0 { return nil }
            await withCheckedContinuation { waiters.append($0) }
        }
        return nil
    }

    /// A batch is done.
    func done() {
        out -= 1
        wake()
    }

    /// A batch must be asked for again, perhaps in parts, before all others.
    func giveBack(_ parts: Batch...) {
        returned += parts.reversed()
        done()
    }

    /// Hands nothing more out; the first reason counts.
    func stop(_ reason: Ending) {
        ending = ending ?? reason
        wake()
    }

    private func make() -> Batch? {
        var batch: Batch = [], tokens = 0
        while let passage = pending.first, batch.count < mostPassages,
            batch.isEmpty || tokens + passage.tokens <= mostTokens
        {
            tokens += passage.tokens
            batch.append(passage)
            pending.removeFirst()
        }
        return batch.isEmpty ? nil : batch
    }

    private func wake() {
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
